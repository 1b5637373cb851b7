import {
  type ApprovalMode,
  type Principal,
  RelayError,
  type SandboxRequest,
  type Session,
  type SpawnMode,
  type StartSession,
} from 'agent-relay-protocol';
import type { Directory } from './directory.ts';
import type { BeginningFacts } from './facts.ts';
import { readsWorkspace } from './readership.ts';
import { agentOf, isOwner, mayActUpon } from './scopes.ts';

/** What is known of the agent that asks for another one: its own running session, null when it runs elsewhere. */
export interface Spawner {
  readonly session: Session | null;
  readonly approval: ApprovalMode;
}

export interface SpawnRequest {
  readonly cwd?: string | undefined;
  readonly mode?: SpawnMode | undefined;
  readonly approval?: ApprovalMode | undefined;
  readonly ask?: boolean | undefined;
  readonly sandbox?: SandboxRequest | undefined;
}

export interface SpawnTerms {
  readonly cwd: string | null;
  readonly within: string | null;
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly ask: boolean;
  /** Left out where nobody said. */
  readonly sandbox?: SandboxRequest;
}

const modes: readonly SpawnMode[] = ['safe', 'agentic', 'unrestricted'];
const approvals: readonly ApprovalMode[] = ['read-only', 'guarded', 'open'];

/**
 * Under what terms a session starts. A person (`spawner` null) may ask for anything. An agent passes on no more than it has: its own folder or
 * below, its own mode, its own approval and its own way to ask people, or less; and what keeps it in keeps in what it starts.
 * @throws RelayError `forbidden`.
 */
export function spawnTerms(request: SpawnRequest, spawner: Spawner | null): SpawnTerms {
  if (spawner === null) {
    const { cwd = null, mode = 'agentic', approval = 'open', ask = false, sandbox } = request;
    return { cwd, within: null, mode, approval, ask, ...(sandbox && { sandbox }) };
  }
  const ownMode = modeOf(spawner.session);
  const mode = request.mode ?? lower(modes, 'agentic', ownMode);
  if (modes.indexOf(mode) > modes.indexOf(ownMode))
    throw new RelayError('forbidden', `An agent in mode ${ownMode} may not start one in mode ${mode}`);
  const approval = request.approval ?? spawner.approval;
  if (approvals.indexOf(approval) > approvals.indexOf(spawner.approval))
    throw new RelayError('forbidden', `An agent with approval ${spawner.approval} may not start one with approval ${approval}`);
  const ask = request.ask ?? spawner.session?.ask ?? false;
  if (ask && spawner.session?.ask !== true)
    throw new RelayError('forbidden', 'An agent that may not ask people may not start one that asks them');
  const within = spawner.session?.dialledIn ? null : (spawner.session?.cwd ?? null);
  if (within === null && request.cwd !== undefined)
    throw new RelayError('forbidden', 'An agent that runs on no node of this relay may not name a folder: leave it out for a fresh one');
  const sandbox = keptIn(request.sandbox, spawner.session?.sandbox ?? 'none');
  return { cwd: request.cwd ?? null, within, mode, approval, ask, ...(sandbox && { sandbox }) };
}

/** What a program says of itself that dialled in, its mode and its folder, is said of where it runs: it is no leave for a machine of the relay. */
function modeOf(session: Spawner['session']): SpawnMode {
  if (session === null) return 'agentic';
  return session.dialledIn ? lower(modes, 'agentic', session.mode) : session.mode;
}

/** What an agent in a sandbox starts is in one as well. @throws RelayError `forbidden`. */
function keptIn(asked: SandboxRequest | undefined, own: Session['sandbox']): SandboxRequest | undefined {
  if (own === 'none') return asked;
  if (asked === 'none' || asked === 'auto')
    throw new RelayError('forbidden', `An agent in the sandbox ${own} may not start one outside of a sandbox`);
  return asked ?? 'os';
}

/** Who there is, and what they were started as. */
export type SpawnFacts = Pick<BeginningFacts, 'agents' | 'session'>;

/** How far agents may go in starting others; 0 is no limit. */
export interface SpawnLimits {
  /** How many agents may stand above one that an agent starts. */
  readonly depth: number;
  /** How many that one agent started may run at once. */
  readonly children: number;
}

/** @throws RelayError `forbidden` for an agent that stands too deep to start others, `busy` for one that has started as many as may run. */
export function assertMaySpawn(facts: SpawnFacts, spawnedBy: string, { depth, children }: SpawnLimits): void {
  if (depth > 0 && depthUnder(facts, spawnedBy) > depth)
    throw new RelayError(
      'forbidden',
      `${spawnedBy} was started by an agent that was started by an agent, and so on: at most ${depth} deep`,
    );
  if (children === 0) return;
  let running = 0;
  for (const { agent, spawnedBy: by } of facts.agents.agents()) if (by === spawnedBy && agent?.sessionId) running += 1;
  if (running >= children)
    throw new RelayError('busy', `${spawnedBy} has started ${running} agents that run: it may start others when some have ended`);
}

/** How many agents stand above what this one starts, itself included: as its session began, whoever of them has been removed since. */
export function depthUnder({ agents, session }: SpawnFacts, spawnedBy: string): number {
  const sessionId = agents.find(spawnedBy)?.agent?.sessionId ?? null;
  const own = sessionId === null ? null : session(sessionId);
  return Math.max(own?.spawnDepth ?? 0, chainOf(agents, spawnedBy).size - 1) + 1;
}

/** The agent, who started it, and so on, as far as they are there: sessions of older relays do not say how deep they stand. */
function chainOf(agents: Directory, agentId: string): ReadonlySet<string> {
  const chain = new Set<string>();
  for (let id: string | null = agentId; id !== null && !chain.has(id); id = agents.find(id)?.spawnedBy ?? null) chain.add(id);
  return chain;
}

/** An agent that says what holds for it may narrow that, and not widen it. */
export const narrowed = (said: ApprovalMode | undefined, current: ApprovalMode): ApprovalMode => lower(approvals, said ?? current, current);

const lower = <Item>(order: readonly Item[], one: Item, other: Item): Item => (order.indexOf(one) < order.indexOf(other) ? one : other);

/**
 * What of a request says something only beside something else.
 * @throws RelayError `validation_failed` naming the field; `forbidden` when an agent asks for a session in the background, which asks people at a terminal.
 */
export function assertCoherent({ resume, resumeFrom, fork, target, mode, sandbox }: StartSession, spawnedBy: string | null): void {
  const alone = Object.entries({ resumeFrom, fork }).find(([, value]) => value !== undefined && value !== false);
  if (alone && !resume) refuse(alone[0], 'Only with resume');
  if (target !== 'background') return;
  if (spawnedBy !== null) throw new RelayError('forbidden', 'Only a person starts an agent in the background');
  if (mode !== undefined && mode !== 'agentic')
    refuse('mode', 'In the background an agent is agentic: whoever opens it can change that there');
  if (sandbox !== undefined && sandbox !== 'none')
    refuse('sandbox', 'Sessions in the background run beside this machine, in no sandbox of its');
}

function refuse(path: string, message: string): never {
  throw new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
}

/** A token that a person made for no agent in particular: its scopes and targets, which are checked before, are all that limits it. */
const isAutomation = (principal: Principal): boolean => principal.type === 'token' && principal.agentId === null;

/** Whether somebody may end or interrupt an agent: the owner, the agent that spawned it, and to end it also the agent itself. */
export function mayControl(principal: Principal, agentId: string, spawnedBy: string | null, deed: 'release' | 'interrupt'): boolean {
  const self = agentOf(principal);
  if (isOwner(principal) || isAutomation(principal)) return true;
  return self !== null && (spawnedBy === self || (deed === 'release' && self === agentId));
}

/** @throws RelayError `forbidden`. */
export function assertMayControl(principal: Principal, agentId: string, spawnedBy: string | null, deed: 'release' | 'interrupt'): void {
  if (mayControl(principal, agentId, spawnedBy, deed)) return;
  throw new RelayError('forbidden', `Only the owner and the agent that started ${agentId} may ${deed} it`);
}

/** An agent that somebody wants to watch: who started it, and the machine that runs it now. */
export interface Watched {
  readonly agentId: string;
  readonly spawnedBy: string | null;
  readonly nodeId: string | null;
}

/**
 * Whether somebody may see what an agent does: it tells of the mail that the agent read, so whoever reads everything may; also the agent, the one
 * that started it, and the machine it runs on.
 */
export function mayWatch(principal: Principal, watched: Watched): boolean {
  if (readsWorkspace(principal)) return mayActUpon(principal, watched.agentId);
  return isOfItsOwn(principal, watched);
}

/** Whether a caller is the agent itself, the agent that started it, or the machine that runs it. */
export function isOfItsOwn(principal: Principal, { agentId, spawnedBy, nodeId }: Watched): boolean {
  if (principal.type === 'node') return principal.nodeId === nodeId;
  const self = agentOf(principal);
  return self !== null && (self === agentId || spawnedBy === self);
}

/** @throws RelayError `forbidden`. */
export function assertMayWatch(principal: Principal, watched: Watched): void {
  if (mayWatch(principal, watched)) return;
  throw new RelayError(
    'forbidden',
    `Only the owner, the agent that started ${watched.agentId}, its machine and a token with the scope workspace:read may watch it`,
  );
}
