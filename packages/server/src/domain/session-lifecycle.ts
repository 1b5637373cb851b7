import {
  type Agent,
  type ApprovalMode,
  type Node,
  OWNER_AGENT_ID,
  RelayError,
  type Session,
  type SpawnMode,
  type StartSession,
} from 'agent-relay-protocol';
import { cancelAll } from './approval.ts';
import type { Change, NewEvent, NewMessage, TokenRecord } from './change.ts';
import type { AgentFacts, BeginningFacts, Decision, SessionFacts } from './facts.ts';
import { isBuiltIn } from './membership.ts';
import { noticeTo } from './notices.ts';
import { registerAgent } from './registration.ts';
import { comeBack, hasDied } from './session-end.ts';
import { depthUnder, narrowed } from './spawn-rules.ts';

export interface BeginSession {
  readonly request: StartSession;
  readonly sessionId: string;
  readonly instanceId: string;
  readonly node: Pick<Node, 'nodeId' | 'name'>;
  readonly spawnedBy: string | null;
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly ask: boolean;
  readonly now: number;
  /** What the session has, and what is good for it alone. */
  readonly tokensFor: (epoch: number) => readonly TokenRecord[];
  /** The owner begins it: the tags are given by a person. */
  readonly givesTags?: boolean;
  /** Who begins it speaks for the address already: that it is there, on its own, stands in nobody's way. */
  readonly isItself?: boolean;
  /** Its program dialled in. */
  readonly dialledIn?: boolean;
  /** The machine that starts it of its own accord: it brings back what ran there last. */
  readonly keeper?: string | null;
}

/** A session, and what holds for its agent from then on: who starts another one does not widen what a person said of that one. */
export interface BegunSession {
  readonly session: Session;
  readonly approval: ApprovalMode;
}

const isUnfinished = ({ status }: Session): boolean => status === 'starting' || status === 'running';

/**
 * The next incarnation of an address. An agent that is there keeps its name, and so does one that another agent would take over, also when it was
 * removed: its mail is not the spawner's to read.
 * @throws RelayError `name_taken`.
 */
export function beginSession(found: BeginningFacts, begin: BeginSession): Decision<BegunSession> {
  const { request, node, spawnedBy, approval, now } = begin;
  const id = request.name;
  assertMayBegin(found, begin);
  const isKept = begin.keeper != null;
  // A machine widens nothing, and takes nobody's agent from whoever started it.
  const startedBy = isKept ? found.spawnedBy : spawnedBy;
  const { agent: registered } = registerAgent(
    found,
    {
      id,
      name: found.agent?.name ?? id,
      kind: 'provider',
      label: request.label,
      tags: request.tags,
      capabilities: request.capabilities,
      channels: request.channels,
      meta: request.meta,
      machine: node.name,
      provider: request.provider,
      approval: spawnedBy === null && !isKept ? approval : narrowed(approval, found.approval),
      status: 'online',
      ready: false,
      instanceId: begin.instanceId,
    },
    { nodeId: node.nodeId, sessionId: begin.sessionId },
    now,
  );
  const given = begin.givesTags === true && request.tags ? { givenTags: registered.tags } : {};
  const agent: Agent = { ...registered, ...given, protected: true };
  const { epoch } = agent;
  const spawnDepth = startedBy === null ? 0 : Math.max(depthUnder(found, startedBy), isKept ? (found.newest()?.spawnDepth ?? 0) : 0);
  const session = sessionOf(begin, { epoch, startedBy, spawnDepth });
  return {
    answer: { session, approval: agent.approval },
    change: {
      at: now,
      events: [
        { type: 'agent.registered', at: now, agent },
        { type: 'session.started', at: now, session },
      ],
      agents: [{ id, agent, spawnedBy: startedBy, because: `A new session of ${id} began` }],
      sessions: [session],
      revokeAgentTokens: [id],
      tokens: begin.tokensFor(epoch),
    },
  };
}

interface Lineage {
  readonly epoch: number;
  readonly startedBy: string | null;
  readonly spawnDepth: number;
}

function sessionOf(begin: BeginSession, { epoch, startedBy, spawnDepth }: Lineage): Session {
  const { request, node, mode, ask, now } = begin;
  return {
    sessionId: begin.sessionId,
    agentId: request.name,
    nodeId: node.nodeId,
    provider: request.provider,
    instanceId: begin.instanceId,
    epoch,
    status: 'starting',
    mode,
    ask,
    cwd: request.cwd ?? null,
    model: request.model ?? null,
    spawnedBy: startedBy,
    ...(startedBy !== null && { spawnDepth }),
    startedAt: now,
    endedAt: null,
    reason: null,
    vendorSessionId: null,
    sandbox: 'none',
    sandboxReason: null,
    ...(begin.dialledIn && { dialledIn: true }),
    ...(request.target === 'background' && { target: request.target }),
  };
}

/** @throws RelayError `name_taken`. */
function assertMayBegin(found: BeginningFacts, { request, node, spawnedBy, isItself, keeper }: BeginSession): void {
  const id = request.name;
  const isThere = found.agent !== null && found.agent.status !== 'offline';
  if (isBuiltIn(id)) throw new RelayError('name_taken', `${id} is a name of the relay's own: choose another`);
  if (found.unfinished !== null && found.agent === null)
    throw new RelayError(
      'name_taken',
      `${id} was removed, and what ran of it has not ended yet: try again in a moment, or choose another name`,
    );
  if (found.unfinished !== null || (isThere && isItself !== true))
    throw new RelayError('name_taken', `${id} is running already: choose another name`);
  if (spawnedBy !== null && found.epoch > 0 && starterOf(found) !== spawnedBy)
    throw new RelayError('name_taken', `${id} is the name of an agent that ${spawnedBy} did not start: choose another name`);
  // Else whoever has a machine's token would have as many agents as it liked, and other agents' mail.
  if (keeper != null && (found.epoch === 0 || found.newest()?.nodeId !== keeper))
    throw new RelayError(
      'forbidden',
      `${node.name} brings back what ran on it last, and ${id} did not: somebody who may starts it there first`,
    );
}

/** Who started the last incarnation of this address; null when it was a person, or began by itself. */
function starterOf({ agent, spawnedBy, epoch, newest }: BeginningFacts): string | null {
  if (agent !== null) return spawnedBy;
  const last = newest();
  return last?.epoch === epoch ? last.spawnedBy : null;
}

/** The session as it is when nothing new is said of it. */
const unchanged = (session: Session): Decision<Session> => ({ answer: session, change: null });

/** What a node says of a session that it started; one of an earlier version says less. */
type Started = {
  readonly [Field in 'cwd' | 'model' | 'vendorSessionId' | 'sandbox' | 'sandboxReason' | 'attach']?: Session[Field] | undefined;
};

/** The node has it running. Nothing changes when the session is over meanwhile, or runs already. */
export function runSession(session: Session, { found }: SessionFacts, started: Started, now: number): Decision<Session> {
  if (session.status !== 'starting') return unchanged(session);
  const { cwd, model, vendorSessionId, sandbox, sandboxReason, attach } = started;
  const running: Session = {
    ...session,
    status: 'running',
    runningSince: now,
    // The machine of a program that dialled in does not know its folders.
    cwd: session.dialledIn ? session.cwd : (cwd ?? session.cwd),
    model: model ?? session.model,
    vendorSessionId: vendorSessionId ?? session.vendorSessionId,
    sandbox: sandbox ?? session.sandbox,
    sandboxReason: sandboxReason ?? session.sandboxReason,
    ...(attach !== undefined && { attach }),
  };
  const told: NewEvent = { type: 'session.updated', at: now, session: running };
  if (!isCurrent(session, found)) return { answer: running, change: { at: now, events: [told], sessions: [running] } };
  const agent: Agent = { ...found.agent, ready: true, lastSeenAt: now };
  const events: readonly NewEvent[] = [told, { type: 'agent.updated', at: now, agent }];
  return { answer: running, change: { at: now, events, agents: [{ id: agent.id, agent }], sessions: [running] } };
}

/** What ended: the session, and with it its agent's presence where the address is (still) this session's. */
export interface SessionToEnd {
  readonly session: Session;
  readonly tookItsAgent: boolean;
  /** The card of its address as it then is, where that is (still) this session's. */
  readonly card: Agent | null;
}

/**
 * The session is over: its agent is offline and keeps its mail, its claims are open again, what it asked is cancelled, its token is worth
 * nothing. One that ran and failed is told to the owner and to who started it. Nothing changes when it was over.
 */
export function endSession(
  session: Session,
  { found, pending }: SessionFacts,
  end: { readonly status: 'ended' | 'failed'; readonly reason: string },
  now: number,
): Decision<SessionToEnd> {
  if (!isUnfinished(session)) {
    const card = isCurrent(session, found) ? found.agent : null;
    return { answer: { session, tookItsAgent: false, card }, change: null };
  }
  const ended: Session = { ...session, status: end.status, reason: end.reason.slice(0, 1000), endedAt: now };
  const { approvals, events } = cancelAll(pending, session, now);
  const notices = hasDied(session, end.status) ? deathNotices(ended, found, now) : [];
  const told: readonly NewEvent[] = [...events, { type: 'session.ended', at: now, session: ended }];
  const change: Change = { at: now, events: told, approvals, sessions: [ended], notices };
  // A newer incarnation has the address: nothing of this one is left there.
  if (!isCurrent(session, found)) return { answer: { session: ended, tookItsAgent: false, card: null }, change };
  const agent: Agent = {
    ...found.agent,
    status: 'offline',
    ready: false,
    protected: found.isBound,
    nodeId: null,
    sessionId: null,
    lastSeenAt: now,
  };
  return {
    answer: { session: ended, tookItsAgent: true, card: agent },
    change: {
      ...change,
      events: [...told, { type: 'agent.status', at: now, agent }],
      agents: [{ id: agent.id, agent, because: `The session of ${agent.id} ended` }],
      revokeAgentTokens: [agent.id],
    },
  };
}

/** Who must know that an agent's process died, and what to do: the owner, and whoever started it. */
function deathNotices(session: Session, card: Pick<AgentFacts, 'approval'>, now: number): readonly NewMessage[] {
  const { agentId, sessionId, reason, spawnedBy } = session;
  const said = (reason ?? 'its session ended unexpectedly').replace(/[.:]\s*$/u, '');
  const body = `${agentId} is gone: ${said}.\nIts mail waits for it, and what it had claimed is open again. ${comeBack(session, card)}`;
  const payload = { type: 'session.failed', agentId, sessionId };
  const told = new Set([OWNER_AGENT_ID, ...(spawnedBy === null ? [] : [spawnedBy])]);
  return [...told].map((to) => noticeTo({ to, body, about: null, payload, at: now }));
}

/** Whether the agent's address is (still) this session's. */
export function isCurrent(session: Session, found: AgentFacts): found is AgentFacts & { readonly agent: Agent } {
  return found.agent !== null && found.agent.epoch === session.epoch && found.agent.instanceId === session.instanceId;
}
