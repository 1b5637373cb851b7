import {
  DEFAULT_PAGE_SIZE,
  type Principal,
  principalName,
  RelayError,
  type RouteInput,
  type RouteOutput,
  type Session,
} from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';
import { watchedIn } from '../../domain/act-as.ts';
import { steererOf } from '../../domain/controllers.ts';
import type { Directory } from '../../domain/directory.ts';
import { agentOf, assertMayActUpon } from '../../domain/scopes.ts';
import { assertMayControl, mayControl } from '../../domain/spawn-rules.ts';
import { endWake } from '../../domain/wake.ts';
import { assertNothingOf, registered } from '../access/registered.ts';
import { ActivityRelay } from '../activity/activity.ts';
import { Approvals } from '../approvals/approvals.ts';
import { ApprovalRules } from '../approvals/rules.ts';
import { listed } from '../contract/listed.ts';
import type { CallContext, RelayHandlers } from '../contract/relay-contract.ts';
import { machineHooks } from '../hooks/machine-hooks.ts';
import { Machines } from '../nodes/machines.ts';
import { NodeRegistry } from '../nodes/node-registry.ts';
import { Nodes } from '../nodes/nodes.ts';
import { Pairings } from '../nodes/pairings.ts';
import type { RelayCore, SessionsPart } from '../relay-core.ts';
import { Reservations } from '../reservations/reservations.ts';
import { Controllers } from './controllers.ts';
import { DialIns } from './dial-ins.ts';
import { Starts } from './starts.ts';
import { Unstarted } from './unstarted.ts';
import { Waker } from './waker.ts';

export type SessionsDeps = Pick<RelayCore, 'store' | 'clock' | 'log' | 'settings' | 'tokens' | 'agents' | 'inboxes' | 'toolMail' | 'guard'>;

export interface SessionsOptions {
  /** How long a machine may be away before its sessions are over. It is what relay-connect gives its agents. */
  readonly nodeGraceMs?: number;
}

type Swept = { sweep(workspace: string, now: number): Promise<void> };

async function sweepEach(workspaces: readonly string[], now: number, parts: readonly Swept[]): Promise<void> {
  for (const workspace of workspaces) for (const part of parts) await part.sweep(workspace, now);
}

/** Running agents: spawned on machines, seen, steered and ended from here. */
export function createSessions(core: SessionsDeps, { nodeGraceMs = 600_000 }: SessionsOptions = {}): SessionsPart {
  const registry = new NodeRegistry(core.clock.now());
  const { store, clock, guard, toolMail, settings } = core;
  const approvals = new Approvals({ ...core, registry });
  const controllers = new Controllers(core);
  const reservations = new Reservations(core);
  const rules = new ApprovalRules({ ...core, approvals, reservations });
  const retentionMs = settings.activityRetentionMs ?? settings.retentionMs;
  const activity = new ActivityRelay({ store, clock, secrets: () => core.tokens.secrets, guard, toolMail, rules, retentionMs });
  const starting = new Set<string>();
  const nodes = new Nodes({ ...core, registry, activity, questions: rules, starting });
  const sessions = new Sessions({ ...core, registry, nodes, controllers });
  const unstarted = new Unstarted(core);
  const starts = new Starts({ ...core, registry, nodes, starting, unstarted });
  const release: RelayHandlers['agents/release'] = (input, context) => sessions.release(input, context);
  const wake: RelayHandlers['sessions/start'] = (input, context) => starts.start(input, context, { isWoken: true });
  const waker = new Waker({ ...core, start: wake, release });
  const dialIns = new DialIns({ ...core, registry, nodes, starting, unstarted });
  const pairings = new Pairings(clock);
  const machines = new Machines({ ...core, registry, nodes, pairings });
  return {
    handlers: {
      'sessions/start': (input, context) => starts.start(input, context),
      'sessions/list': (input, context) => sessions.list(input, context),
      'sessions/get': (input, context) => sessions.get(input, context),
      'sessions/invite': (input, context) => dialIns.issueCode(input, context),
      ...machines.handlers,
      'agents/interrupt': (input, context) => sessions.interrupt(input, context),
      'agents/release': release,
      'agents/activity': (input, context) => activity.list(input, context),
      ...approvalHandlers(approvals, rules),
      ...rules.handlers,
      ...machineHooks(registry),
      ...reservations.handlers,
    },
    nodeHandlers: nodes.handlers,
    nodeLive: ({ sessionId, at, events }, { principal }) =>
      sessions.live(principal, sessionId, (session) => activity.live(principal.workspace, session, at, events)),
    nodeDetached: (link) => nodes.detached(link),
    pairings,
    dialIns,
    openActivity: (params, context) => activity.open(params, context),
    counts: (workspace) => sessions.counts(workspace),
    start: () => rules.start(),
    sweep: async (now) => {
      await nodes.sweep(now, nodeGraceMs);
      await unstarted.sweep(now);
      void nodes.lookAgain();
      waker.sweep();
      await activity.prune();
      await approvals.prune();
      await sweepEach([...store.agents.index.workspaces()], now, [rules, reservations, controllers]);
    },
    settled: () => waker.settled(),
    endRemoved: endRemoved(core, dialIns),
    close: async () => {
      for (const part of [waker, machines, rules]) await part.close();
    },
  };
}

const endRemoved =
  ({ store }: Pick<SessionsDeps, 'store'>, dialIns: Pick<DialIns, 'end'>): SessionsPart['endRemoved'] =>
  async (workspace, agentId) => {
    const session = await store.sessions.unfinishedOf(workspace, agentId);
    // Who took the name right after it was free goes on.
    const isOfAnother = session?.sessionId === store.agents.index.in(workspace).find(agentId)?.agent?.sessionId;
    if (session !== null && !isOfAnother) await dialIns.end(session, workspace, `${agentId} was removed`);
  };

const approvalHandlers = (approvals: Approvals, rules: ApprovalRules) =>
  ({
    'approvals/list': (input, context) => approvals.list(input, context),
    'approvals/count': (input, context) => approvals.count(input, context),
    'approvals/resolve': (input, context) => approvals.resolve(input, context),
    'approvals/ask': (input, context) =>
      approvals.ask(input, context, (asked) => rules.asked(context.principal.workspace, asked, asked.approvalId)),
    'approvals/withdraw': (input, context) => approvals.withdraw(input, context),
  }) satisfies Partial<RelayHandlers>;

interface Deps extends SessionsDeps {
  readonly registry: NodeRegistry;
  readonly nodes: Nodes;
  readonly controllers: Controllers;
}

class Sessions {
  readonly #deps: Deps;
  readonly #agentBySession = new RecentMap<string, string>(10_000);

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(input: RouteInput<'sessions/list'>, { principal }: CallContext): Promise<RouteOutput<'sessions/list'>> {
    const { workspace } = principal;
    const { agent: agentId, limit = DEFAULT_PAGE_SIZE, ...query } = input;
    const { sessions, agents } = this.#deps.store;
    const page = await sessions.list({ ...query, workspace, caller: principalName(principal), agentId, limit });
    if (agentId !== undefined && query.before === undefined) assertNothingOf(agents.index.in(workspace), agentId, page.items);
    return listed({ ...page, items: await this.#deps.controllers.addTo(principal, page.items) });
  }

  async get({ id: sessionId }: RouteInput<'sessions/get'>, { principal }: CallContext): Promise<Session> {
    const session = await this.#deps.store.sessions.get(principal.workspace, sessionId);
    if (session === null) throw new RelayError('not_found', `There is no session ${sessionId}`);
    const [shown = session] = await this.#deps.controllers.addTo(principal, [session]);
    return shown;
  }

  async interrupt({ id }: RouteInput<'agents/interrupt'>, { principal }: CallContext): Promise<RouteOutput<'agents/interrupt'>> {
    const session = await this.#unfinished(principal, id, 'interrupt');
    const attached = this.#deps.registry.find(principal.workspace, session.nodeId);
    if (attached === null) throw new RelayError('node_unavailable', `The machine that runs ${id} is not connected`);
    const { sessionId } = session;
    const answer = await attached.link.command('session/interrupt', { sessionId });
    const by = steererOf(principal, null);
    if (answer.interrupted && by !== null)
      await this.#deps.store.records.begin(principal.workspace, ({ agents }) => {
        // It was interrupted either way: only who steers it is in question.
        const isTheirs = mayControl(principal, id, watchedIn(agents, id).spawnedBy, 'interrupt');
        return { answer: null, change: isTheirs ? { at: this.#deps.clock.now(), steers: [{ agentId: id, sessionId, by }] } : null };
      });
    return answer;
  }

  /** Ends the session also when its machine is away: it is told when it comes back. */
  async release({ id, reason, wake }: RouteInput<'agents/release'>, { principal }: CallContext): Promise<Session> {
    const { workspace } = principal;
    const over = wake === 'never' ? await this.#endWake(principal, id) : null;
    if (over) return over;
    const session = await this.#unfinished(principal, id, 'release');
    const sentence = reason ?? releasedBy(principal);
    const link = this.#deps.registry.find(workspace, session.nodeId)?.link;
    try {
      await link?.command('session/close', { sessionId: session.sessionId, reason: sentence });
    } catch (error) {
      this.#deps.log.warn('a node did not end a session', { sessionId: session.sessionId, error });
      if (error instanceof RelayError && error.code !== 'connection_closed') throw error;
    }
    const end = await this.#deps.nodes.end(workspace, session.sessionId, 'ended', sentence);
    return end?.session ?? session;
  }

  /** Mail wakes it no more. Answers its last session where nothing else is to be ended. */
  async #endWake(principal: Principal, agentId: string): Promise<Session | null> {
    const { store, clock } = this.#deps;
    const { workspace } = principal;
    const hasEnded = await store.records.begin(workspace, (facts) => {
      assertControls(facts.agents, principal, agentId, 'release');
      return endWake(facts, agentId, clock.now());
    });
    if (!hasEnded || (await store.sessions.unfinishedOf(workspace, agentId)) !== null) return null;
    const { items } = await store.sessions.list({ workspace, caller: principalName(principal), agentId, limit: 1 });
    return items[0] ?? null;
  }

  /** Deltas of a session that the calling node hosts; others are ignored. */
  live(principal: Principal, sessionId: string, tell: (session: Pick<Session, 'agentId' | 'sessionId'>) => void): void {
    if (principal.type !== 'node') return;
    // From memory: this comes for every few words an agent writes.
    const agent = this.#agentOf(principal.workspace, sessionId);
    if (agent?.nodeId === principal.nodeId) tell({ agentId: agent.id, sessionId });
  }

  async counts(workspace: string): Promise<{ readonly runningSessions: number; readonly nodes: number; readonly onlineNodes: number }> {
    const { store, registry } = this.#deps;
    const unfinished = await store.sessions.unfinished();
    return {
      runningSessions: unfinished.filter((entry) => entry.workspace === workspace).length,
      nodes: (await store.nodes.list(workspace)).length,
      onlineNodes: registry.online(workspace).length,
    };
  }

  async #unfinished(principal: Principal, agentId: string, deed: 'release' | 'interrupt'): Promise<Session> {
    const { store } = this.#deps;
    const { workspace } = principal;
    assertControls(store.agents.index.in(workspace), principal, agentId, deed);
    const session = await store.sessions.unfinishedOf(workspace, agentId);
    if (session === null) throw new RelayError('not_found', `${agentId} has no running session`);
    return session;
  }

  #agentOf(workspace: string, sessionId: string) {
    const known = this.#agentBySession.get(sessionId);
    const entry = known === undefined ? undefined : this.#deps.store.agents.index.in(workspace).find(known)?.agent;
    if (entry?.sessionId === sessionId) return entry;
    for (const { agent } of this.#deps.store.agents.index.in(workspace).agents()) {
      if (agent?.sessionId !== sessionId) continue;
      this.#agentBySession.set(sessionId, agent.id);
      return agent;
    }
    return null;
  }
}

/** @throws RelayError `not_found`, `forbidden`, `forbidden_target`. */
function assertControls(agents: Directory, principal: Principal, agentId: string, deed: 'release' | 'interrupt'): void {
  registered(agents, agentId);
  assertMayActUpon(principal, agentId);
  assertMayControl(principal, agentId, watchedIn(agents, agentId).spawnedBy, deed);
}

function releasedBy(principal: Principal): string {
  const agentId = agentOf(principal);
  if (agentId !== null) return `Released by ${agentId}`;
  return principal.type === 'token' ? `Released with the token ${principal.name}` : 'Released by the owner';
}
