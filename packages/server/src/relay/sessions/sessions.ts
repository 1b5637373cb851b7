import { randomUUID } from 'node:crypto';
import {
  DEFAULT_PAGE_SIZE,
  type Node,
  type Principal,
  principalName,
  RelayError,
  type RouteInput,
  type RouteOutput,
  type Session,
  sessionLimits,
} from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';
import { actAs, watchedIn } from '../../domain/act-as.ts';
import { type PlacementRequest, placeSession } from '../../domain/placement.ts';
import { type ResumableSession, sessionToResume } from '../../domain/resume.ts';
import { agentOf, assertMayActUpon, isOwner } from '../../domain/scopes.ts';
import { beginSession } from '../../domain/session-lifecycle.ts';
import { assertMayControl, type Spawner, spawnTerms } from '../../domain/spawn-rules.ts';
import { assertNothingOf, registered } from '../access/registered.ts';
import { ActivityRelay } from '../activity/activity.ts';
import { Approvals } from '../approvals/approvals.ts';
import { ApprovalRules } from '../approvals/rules.ts';
import { listed } from '../contract/listed.ts';
import type { CallContext } from '../contract/relay-contract.ts';
import { NodeRegistry } from '../nodes/node-registry.ts';
import { Pairings } from '../nodes/pairings.ts';
import type { RelayCore, SessionsPart } from '../relay-core.ts';
import { DialIns } from './dial-ins.ts';
import { Machines } from './machines.ts';
import { Nodes } from './nodes.ts';
import { startOnNode } from './start-on-node.ts';

/** So many sessions back a conversation is looked for. */
const EARLIER_SESSIONS = 100;
/** How long after its own start a relay expects its machines to arrive. */
const ARRIVAL_MS = 10_000;

export type SessionsDeps = Pick<RelayCore, 'store' | 'clock' | 'log' | 'settings' | 'tokens' | 'agents' | 'inboxes' | 'toolMail' | 'guard'>;

export interface SessionsOptions {
  /** How long a machine may be away before its sessions are over. It is what relay-connect gives its agents. */
  readonly nodeGraceMs?: number;
}

/** Running agents: spawned on machines, seen, steered and ended from here. */
export function createSessions(core: SessionsDeps, { nodeGraceMs = 600_000 }: SessionsOptions = {}): SessionsPart {
  const registry = new NodeRegistry(core.clock.now());
  const { store, clock, guard, toolMail, settings } = core;
  const approvals = new Approvals({ ...core, registry });
  const rules = new ApprovalRules({ ...core, approvals });
  const activity = new ActivityRelay({ store, clock, guard, toolMail, rules, retentionMs: settings.retentionMs });
  const starting = new Set<string>();
  const nodes = new Nodes({ ...core, registry, activity, starting });
  const sessions = new Sessions({ ...core, registry, nodes, starting });
  const dialIns = new DialIns({ ...core, registry, nodes, starting });
  const pairings = new Pairings(clock);
  const machines = new Machines({ ...core, registry, nodes, pairings });
  return {
    handlers: {
      'sessions/start': (input, context) => sessions.start(input, context),
      'sessions/list': (input, context) => sessions.list(input, context),
      'sessions/get': (input, context) => sessions.get(input, context),
      'sessions/invite': (input, context) => dialIns.issueCode(input, context),
      ...machines.handlers,
      'agents/interrupt': (input, context) => sessions.interrupt(input, context),
      'agents/release': (input, context) => sessions.release(input, context),
      'agents/activity': (input, context) => activity.list(input, context),
      'approvals/list': (input, context) => approvals.list(input, context),
      'approvals/resolve': (input, context) => approvals.resolve(input, context),
      ...rules.handlers,
      'approvals/ask': (input, context) =>
        approvals.ask(input, context, (asked) => rules.asked(context.principal.workspace, asked, asked.approvalId)),
      'approvals/withdraw': (input, context) => approvals.withdraw(input, context),
    },
    nodeHandlers: nodes.handlers,
    nodeLive: ({ sessionId, at, events }, { principal }) =>
      sessions.live(principal, sessionId, (session) => activity.live(principal.workspace, session, at, events)),
    nodeDetached: (link) => nodes.detached(link),
    pairings,
    dialIns,
    openActivity: (params, context) => activity.open(params, context),
    counts: (workspace) => sessions.counts(workspace),
    sweep: async (now) => {
      await nodes.sweep(now, nodeGraceMs);
      void nodes.lookAgain();
      await activity.prune();
      await approvals.prune();
      for (const workspace of [...store.agents.index.workspaces()]) await rules.sweep(workspace);
    },
    close: async () => {
      await machines.close();
      await rules.close();
    },
  };
}

interface Deps extends SessionsDeps {
  readonly registry: NodeRegistry;
  readonly nodes: Nodes;
  readonly starting: Set<string>;
}

class Sessions {
  readonly #deps: Deps;
  readonly #startedAt: number;
  readonly #agentBySession = new RecentMap<string, string>(10_000);

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
  }

  async start(input: RouteInput<'sessions/start'>, { principal, signal }: CallContext): Promise<Session> {
    const { workspace } = principal;
    const { store, tokens, clock, starting, registry, inboxes } = this.#deps;
    assertMayActUpon(principal, input.name);
    if (!isOwner(principal) && store.agents.index.in(workspace).isBound(input.name))
      throw new RelayError('name_taken', `${input.name} is whoever holds its token: choose another name`);
    const spawnedBy = this.#spawnerId(principal, input.spawnedBy);
    const spawner = spawnedBy === null ? null : await this.#spawner(principal, spawnedBy);
    const earlier = input.resume ? await this.#earlier(workspace, input, spawnedBy) : null;
    const terms = spawnTerms({ ...input, cwd: input.cwd ?? earlier?.cwd ?? undefined }, spawner);
    await this.#untilSomeNode(workspace, signal);
    const node = await this.#place(workspace, {
      provider: input.provider,
      // A conversation is kept where it was had.
      nodeId: earlier?.nodeId ?? input.node ?? null,
      spawnerNodeId: spawner?.session?.nodeId ?? null,
      needs: { mode: terms.mode, ask: terms.ask, resume: earlier !== null, sandbox: terms.sandbox },
    });
    const link = registry.find(workspace, node.nodeId)?.link;
    if (!link) throw new RelayError('node_unavailable', `The node ${node.name} is not connected`);
    const sessionId = randomUUID();
    const instanceId = randomUUID();
    const minted = tokens.mint('session', { workspace, agentId: input.name, nodeId: node.nodeId });
    starting.add(sessionId);
    try {
      const session = await store.sessions.begin(workspace, input.name, (facts) =>
        beginSession(facts, {
          ...terms,
          request: input,
          sessionId,
          instanceId,
          node,
          spawnedBy,
          givesTags: spawnedBy === null && isOwner(principal),
          now: clock.now(),
          tokensFor: (epoch) => [{ ...minted.record, epoch }],
        }),
      );
      inboxes.endLease(workspace, input.name, new RelayError('stale_session', `A newer session of ${input.name} has taken over`));
      // As it was written: an agent that starts another one does not widen what a person said of that one.
      const approval = store.agents.index.in(workspace).find(input.name)?.approval ?? terms.approval;
      const model = input.model ?? null;
      const resume = earlier ? { resume: earlier.vendorSessionId } : {};
      const params = { ...terms, ...resume, approval, session, token: minted.token, task: input.task ?? null, model };
      return await startOnNode(this.#deps, { workspace, link, params });
    } finally {
      starting.delete(sessionId);
    }
  }

  async list(input: RouteInput<'sessions/list'>, { principal }: CallContext): Promise<RouteOutput<'sessions/list'>> {
    const { workspace } = principal;
    const { agent: agentId, limit = DEFAULT_PAGE_SIZE, ...query } = input;
    const { sessions, agents } = this.#deps.store;
    const page = await sessions.list({ ...query, workspace, caller: principalName(principal), agentId, limit });
    if (agentId !== undefined && query.before === undefined) assertNothingOf(agents.index.in(workspace), agentId, page.items);
    return listed(page);
  }

  async get({ id: sessionId }: RouteInput<'sessions/get'>, { principal }: CallContext): Promise<Session> {
    const session = await this.#deps.store.sessions.get(principal.workspace, sessionId);
    if (session === null) throw new RelayError('not_found', `There is no session ${sessionId}`);
    return session;
  }

  async interrupt({ id }: RouteInput<'agents/interrupt'>, { principal }: CallContext): Promise<RouteOutput<'agents/interrupt'>> {
    const session = await this.#unfinished(principal, id, 'interrupt');
    const attached = this.#deps.registry.find(principal.workspace, session.nodeId);
    if (attached === null) throw new RelayError('node_unavailable', `The machine that runs ${id} is not connected`);
    return attached.link.command('session/interrupt', { sessionId: session.sessionId }, { timeoutMs: sessionLimits.interruptMs });
  }

  /** Ends the session also when its machine is away: it is told when it comes back. */
  async release({ id, reason }: RouteInput<'agents/release'>, { principal }: CallContext): Promise<Session> {
    const { workspace } = principal;
    const session = await this.#unfinished(principal, id, 'release');
    const sentence = reason ?? releasedBy(principal);
    const link = this.#deps.registry.find(workspace, session.nodeId)?.link;
    try {
      await link?.command('session/close', { sessionId: session.sessionId, reason: sentence }, { timeoutMs: sessionLimits.endMs });
    } catch (error) {
      this.#deps.log.warn('a node did not end a session', { sessionId: session.sessionId, error });
      if (error instanceof RelayError && error.code !== 'connection_closed') throw error;
    }
    return (await this.#deps.nodes.end(workspace, session.sessionId, 'ended', sentence)) ?? session;
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

  async #earlier(workspace: string, input: RouteInput<'sessions/start'>, spawnedBy: string | null): Promise<ResumableSession> {
    const { items } = await this.#deps.store.sessions.list({ workspace, agentId: input.name, limit: EARLIER_SESSIONS });
    const found = sessionToResume(input, spawnedBy, items);
    if (input.node === undefined || input.node === found.nodeId) return found;
    throw new RelayError('node_unavailable', `The conversation of ${input.name} is on the machine ${found.nodeId}: it goes on there only`);
  }

  /** Right after a start of the relay its machines are on their way: who asks then waits for the first of them a moment. */
  async #untilSomeNode(workspace: string, signal: AbortSignal): Promise<void> {
    const { registry, clock } = this.#deps;
    const leftMs = this.#startedAt + ARRIVAL_MS - clock.now();
    if (leftMs <= 0 || registry.online(workspace).length > 0) return;
    const waiting = new AbortController();
    const cancel = clock.schedule(() => waiting.abort(), leftMs);
    const both = AbortSignal.any([signal, waiting.signal]);
    while (!both.aborted && registry.online(workspace).length === 0) await registry.nextAttach(both);
    cancel();
  }

  /** An agent asks in its own name, a node in that of an agent it hosts, the owner in anybody's or in none, a program likewise where it may. */
  #spawnerId(principal: Principal, named: string | undefined): string | null {
    const self = agentOf(principal);
    if (self !== null) {
      if (named !== undefined && named !== self) throw new RelayError('forbidden', `This token speaks for ${self} only, not for ${named}`);
      return self;
    }
    if (isOwner(principal)) return named ?? null;
    if (principal.type === 'token') {
      if (named !== undefined) actAs(this.#deps.store.agents.index.in(principal.workspace), principal, named);
      return named ?? null;
    }
    if (principal.type === 'node' && named !== undefined) return named;
    throw new RelayError('forbidden', 'Only the owner and agents may start agents');
  }

  async #spawner(principal: Principal, agentId: string): Promise<Spawner> {
    const { workspace } = principal;
    const agent = registered(this.#deps.store.agents.index.in(workspace), agentId);
    if (principal.type === 'node' && agent.nodeId !== principal.nodeId)
      throw new RelayError('forbidden', `${agentId} does not run on this node`);
    return { session: await this.#deps.store.sessions.unfinishedOf(workspace, agentId), approval: agent.approval };
  }

  /** A program that is missing may have been installed since its machine last looked. */
  async #place(workspace: string, request: PlacementRequest): Promise<Node> {
    try {
      return placeSession(await this.#placeable(workspace), request);
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'provider_unavailable') throw error;
      await this.#deps.nodes.lookAgain({ workspace, provider: request.provider });
      return placeSession(await this.#placeable(workspace), request);
    }
  }

  async #placeable(workspace: string) {
    const { store, registry } = this.#deps;
    const unfinished = await store.sessions.unfinished();
    const online = registry.online(workspace);
    const away = (await store.nodes.list(workspace)).filter(({ nodeId }) => !online.some((node) => node.nodeId === nodeId));
    return [...online, ...away.map((node) => registry.asSeen(workspace, node))].map((node) => ({
      node,
      runningSessions: unfinished.filter((entry) => entry.workspace === workspace && entry.session.nodeId === node.nodeId).length,
    }));
  }

  async #unfinished(principal: Principal, agentId: string, deed: 'release' | 'interrupt'): Promise<Session> {
    const { store } = this.#deps;
    const { workspace } = principal;
    const agents = store.agents.index.in(workspace);
    registered(agents, agentId);
    assertMayActUpon(principal, agentId);
    assertMayControl(principal, agentId, watchedIn(agents, agentId).spawnedBy, deed);
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

function releasedBy(principal: Principal): string {
  const agentId = agentOf(principal);
  if (agentId !== null) return `Released by ${agentId}`;
  return principal.type === 'token' ? `Released with the token ${principal.name}` : 'Released by the owner';
}
