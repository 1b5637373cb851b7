import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type AgentStatus,
  isOwnersNodeId,
  type MethodParams,
  type MethodResult,
  type Node,
  ownProtocols,
  type Principal,
  type ProtocolRange,
  RELAY_VERSION,
  RelayError,
  type RouteInput,
  type RouteOutput,
  type Session,
  sharedProtocol,
} from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';
import { attachNode, updateNode } from '../../domain/node-lifecycle.ts';
import { newOwnersNodeId, ownersNode } from '../../domain/owners-node.ts';
import { endSession, isCurrent, runSession, type SessionToEnd } from '../../domain/session-lifecycle.ts';
import { listedById } from '../contract/listed.ts';
import type { CallContext, NodeHandlers, NodeLink } from '../contract/relay-contract.ts';
import type { RelayCore } from '../relay-core.ts';
import type { AttachedNode, NodeRegistry } from './node-registry.ts';

export interface NodesDeps extends Pick<RelayCore, 'store' | 'clock' | 'log' | 'agents' | 'inboxes' | 'tokens'> {
  readonly registry: NodeRegistry;
  readonly activity: ActivityDesk;
  readonly questions: QuestionDesk;
  /** Sessions whose start this relay is waiting for. */
  readonly starting: ReadonlySet<string>;
}

/** Whoever was to answer what these sessions ask may have been gone while their machine was. */
export interface QuestionDesk {
  askAgain(workspace: string, sessions: ReadonlySet<string>): Promise<void>;
}

/** Where what agents do is told. */
export interface ActivityDesk {
  append(workspace: string, session: Session, params: MethodParams<'activity/append'>): Promise<MethodResult<'activity/append'>>;
}

/** What a machine has just looked for it is not asked to look for again. */
const LOOK_AGAIN_AFTER_MS = 1_000;
const REMEMBERED_LOOKS = 1_000;

type Offer = NonNullable<MethodParams<'nodes/heartbeat'>['offer']>;
type NodeContext = CallContext & { readonly link: NodeLink };

/** The machines' side of running sessions: what nodes say over their links. */
export class Nodes {
  readonly #deps: NodesDeps;
  readonly handlers: NodeHandlers;
  readonly #looking = new Map<string, Promise<void>>();
  /** When each look ended. */
  readonly #lookedAt = new RecentMap<string, number>(REMEMBERED_LOOKS);

  constructor(deps: NodesDeps) {
    this.#deps = deps;
    this.handlers = {
      'nodes/attach': (params, context) => this.#attach(params, context),
      'nodes/heartbeat': (params, context) => this.#heartbeat(params, context),
      'sessions/report': (params, context) => this.#report(params, context),
      'activity/append': (params, context) => this.#append(params, context),
    };
  }

  /** @throws RelayError `unauthorized` when somebody without a credential has the machines look: that runs programs there. */
  async list(principal: Principal, { look, ...page }: RouteInput<'nodes/list'>): Promise<RouteOutput<'nodes/list'>> {
    const { store, registry } = this.#deps;
    const { workspace } = principal;
    if (look) {
      if (principal.type === 'anonymous') throw new RelayError('unauthorized', 'Machines look again for whoever has a token');
      await this.#lookAtAll(workspace);
    }
    const nodes = await store.nodes.list(workspace);
    const seen = nodes.map((node) => registry.asSeen(workspace, node));
    return { ...listedById(seen, ({ nodeId }) => nodeId, page), cursor: store.log.head };
  }

  detached(link: NodeLink): void {
    const { registry, clock, log } = this.#deps;
    const now = clock.now();
    const attached = registry.detach(link, now);
    if (attached === null) return;
    this.#writeOffline(attached.workspace, attached.node, now).catch((error: unknown) =>
      log.warn('a node could not be marked offline', { error }),
    );
  }

  /** Ends whatever a machine runs. */
  async endAll(workspace: string, nodeId: string, reason: string): Promise<void> {
    for (const { workspace: itsWorkspace, session } of await this.#deps.store.sessions.unfinished())
      if (itsWorkspace === workspace && session.nodeId === nodeId) await this.end(workspace, session.sessionId, 'ended', reason);
  }

  /** Ends the sessions of machines that were removed or stayed away for longer than the grace, and says which machines did not come back after a restart. */
  async sweep(now: number, graceMs: number): Promise<void> {
    const { store, registry, starting } = this.#deps;
    for (const { workspace, node } of await store.nodes.online()) {
      if (registry.find(workspace, node.nodeId) === null) await this.#writeOffline(workspace, node, now);
    }
    for (const { workspace, session } of await store.sessions.unfinished()) {
      if (registry.find(workspace, session.nodeId) !== null || starting.has(session.sessionId)) continue;
      const isKnown = (await store.nodes.get(workspace, session.nodeId)) !== null;
      if (isKnown && now - registry.lostAt(workspace, session.nodeId) < graceMs) continue;
      await this.end(workspace, session.sessionId, 'ended', isKnown ? 'The connection to its machine was lost' : 'Its machine was removed');
    }
    registry.forgetLost(now - graceMs);
  }

  /**
   * Asks the connected machines that lack this kind of agent to look for its program again; when none is named, for whatever they lack, and for what else
   * may serve what they have. Never rejects.
   */
  async lookAgain({ workspace, provider }: { readonly workspace?: string; readonly provider?: string } = {}): Promise<void> {
    const asked = this.#deps.registry.all().filter((attached) => workspace === undefined || attached.workspace === workspace);
    await Promise.all(
      asked.flatMap((attached) =>
        attached.node.providers
          .filter(({ id, available, runtime }) =>
            provider === undefined ? !available || runtime !== undefined : !available && id === provider,
          )
          .map(({ id }) => this.#lookOnce(attached, id)),
      ),
    );
  }

  async #lookAtAll(workspace: string): Promise<void> {
    const asked = this.#deps.registry.all().filter((attached) => attached.workspace === workspace);
    await Promise.all(asked.flatMap((attached) => attached.node.providers.map(({ id }) => this.#lookOnce(attached, id))));
  }

  /** Ends a session, once; whoever delivers its mail is told. Answers it and its agent's card as they then are. */
  async end(workspace: string, sessionId: string, status: 'ended' | 'failed', reason: string): Promise<SessionToEnd | null> {
    const { store, clock, inboxes } = this.#deps;
    const now = clock.now();
    const end = await store.sessions.change(workspace, sessionId, (session, facts) => endSession(session, facts, { status, reason }, now));
    if (end?.tookItsAgent) {
      const { agentId } = end.session;
      inboxes.endLease(workspace, agentId, new RelayError('stale_session', `The session of ${agentId} has ended`));
    }
    return end;
  }

  /** Who asks while it looks waits for the same answer, and who asks soon after it has that answer already. */
  #lookOnce(attached: AttachedNode, provider: string): Promise<void> {
    const key = `${attached.workspace}\n${attached.node.nodeId}\n${provider}`;
    const looking = this.#looking.get(key);
    if (looking) return looking;
    const { clock } = this.#deps;
    if (clock.now() - (this.#lookedAt.get(key) ?? Number.NEGATIVE_INFINITY) < LOOK_AGAIN_AFTER_MS) return Promise.resolve();
    const look = this.#look(attached, provider).finally(() => {
      this.#looking.delete(key);
      this.#lookedAt.set(key, clock.now());
    });
    this.#looking.set(key, look);
    return look;
  }

  async #look({ workspace, link }: AttachedNode, provider: string): Promise<void> {
    const { registry, store, clock, log } = this.#deps;
    try {
      const seen = { ...(await link.command('provider/detect', { id: provider })), id: provider };
      const attached = registry.byLink(link);
      const before = attached?.node.providers.find(({ id }) => id === provider);
      if (!attached || !before) return;
      if (isDeepStrictEqual(before, seen)) return;
      const now = clock.now();
      const providers = attached.node.providers.map((each) => (each === before ? seen : each));
      const node = { ...attached.node, providers, lastSeenAt: now };
      registry.heard({ ...attached, node }, now);
      await store.nodes.change(workspace, node.nodeId, (facts) => updateNode(facts, node, 'node.updated', now));
    } catch (error) {
      // One of an earlier version looks only when it attaches.
      if (!(error instanceof RelayError && error.code === 'unknown_method'))
        log.info('a node did not look for a program', { provider, error });
    }
  }

  async #attach(params: MethodParams<'nodes/attach'>, { principal, link }: NodeContext): Promise<MethodResult<'nodes/attach'>> {
    const protocol = agreedProtocol(params);
    const { workspace } = principal;
    const { registry, store, clock, log, tokens } = this.#deps;
    const now = clock.now();
    const nodeId = await this.#nodeIdFor(principal, params.name);
    const { version, providers, terms } = params;
    const name = await this.#nameOf(workspace, nodeId, params.name);
    const node: Node = { nodeId, name, version, providers, status: 'online', connectedAt: now, lastSeenAt: now, ...(terms && { terms }) };
    const needsToken = principal.type === 'node' && tokens.lives.isBound(principal);
    const replaced = registry.attach({ workspace, node, link });
    replaced?.link.close('stale_session', 'Another connection of this node has taken over');
    try {
      const written = await store.nodes.change(workspace, nodeId, (facts) => attachNode(facts, node, needsToken));
      registry.rename(workspace, nodeId, written.name);
      const sessions = await this.#compare(workspace, nodeId, params.sessions);
      void this.#deps.questions.askAgain(workspace, new Set(sessions.flatMap(({ sessionId, keep }) => (keep ? [sessionId] : []))));
      log.info('node attached', { nodeId, name: written.name, version, sessions: sessions.length });
      if (version !== RELAY_VERSION)
        log.warn('a node runs another version than this relay', { nodeId, name: written.name, version, relay: RELAY_VERSION });
      return { nodeId, name: written.name, version: RELAY_VERSION, protocol, sessions };
    } catch (error) {
      // Whoever was not answered is not attached, and nobody will say that this link has ended.
      registry.detach(link, now);
      throw error;
    }
  }

  /** Which of the sessions a machine still runs count, and the end of those it no longer runs. */
  async #compare(
    workspace: string,
    nodeId: string,
    offered: MethodParams<'nodes/attach'>['sessions'],
  ): Promise<MethodResult<'nodes/attach'>['sessions']> {
    const sessions: MethodResult<'nodes/attach'>['sessions'] = [];
    for (const { sessionId } of offered) {
      const keep = await this.#keeps(workspace, nodeId, sessionId);
      sessions.push({ sessionId, keep, ackedSeq: await this.#deps.store.activity.lastSeq(workspace, sessionId) });
    }
    await this.#endMissing(workspace, nodeId, new Set(offered.map(({ sessionId }) => sessionId)));
    return sessions;
  }

  /** A node's token names it, whatever it calls itself. The owner's is told by its name: the same name is the same machine again. */
  async #nodeIdFor(principal: Principal, name: string): Promise<string> {
    if (principal.type === 'node') return principal.nodeId;
    const nodes = await this.#deps.store.nodes.list(principal.workspace);
    const isFirst = !nodes.some(({ nodeId }) => isOwnersNodeId(nodeId));
    return ownersNode(nodes, name)?.nodeId ?? newOwnersNodeId(isFirst, randomUUID().slice(0, 8));
  }

  /** What a machine with a token of its own was called when it was paired, or since. */
  async #nameOf(workspace: string, nodeId: string, says: string): Promise<string> {
    const known = isOwnersNodeId(nodeId) ? null : await this.#deps.store.nodes.get(workspace, nodeId);
    return known?.name ?? says;
  }

  /** A session that still counts runs on. One whose start was never answered, because this relay ended meanwhile, runs as well. */
  async #keeps(workspace: string, nodeId: string, sessionId: string): Promise<boolean> {
    const { store, clock } = this.#deps;
    const now = clock.now();
    const keeps = await store.sessions.change<boolean>(workspace, sessionId, (session, facts) => {
      const isUnfinished = session.status === 'starting' || session.status === 'running';
      if (session.nodeId !== nodeId || !isUnfinished || !isCurrent(session, facts.found)) return { answer: false, change: null };
      return { answer: true, change: runSession(session, facts, {}, now).change };
    });
    return keeps ?? false;
  }

  async #endMissing(workspace: string, nodeId: string, offered: ReadonlySet<string>): Promise<void> {
    const { store, starting } = this.#deps;
    for (const { workspace: itsWorkspace, session } of await store.sessions.unfinished()) {
      const { sessionId } = session;
      if (itsWorkspace !== workspace || session.nodeId !== nodeId || offered.has(sessionId) || starting.has(sessionId)) continue;
      await this.end(workspace, sessionId, 'ended', 'Its machine no longer runs it');
    }
  }

  async #heartbeat(
    { sessions, offer, load }: MethodParams<'nodes/heartbeat'>,
    context: NodeContext,
  ): Promise<MethodResult<'nodes/heartbeat'>> {
    const before = this.#attached(context);
    const attached = load === undefined ? before : { ...before, node: { ...before.node, load } };
    const now = this.#deps.clock.now();
    this.#deps.registry.heard(attached, now);
    if (offer) await this.#offered(attached, offer, now);
    const release: string[] = [];
    await Promise.all(
      sessions.map(async ({ sessionId, status }) => {
        const isKept = await this.#seen(attached, sessionId, status);
        if (!isKept) release.push(sessionId);
      }),
    );
    return { release };
  }

  async #offered({ workspace, node, link }: AttachedNode, { providers, terms }: Offer, now: number): Promise<void> {
    const { terms: _before, ...rest } = node;
    const offering: Node = { ...rest, providers, lastSeenAt: now, ...(terms && { terms }) };
    this.#deps.registry.heard({ workspace, node: offering, link }, now);
    // Said again, it is no news.
    if (isDeepStrictEqual([node.providers, node.terms], [offering.providers, offering.terms])) return;
    await this.#deps.store.nodes.change(workspace, node.nodeId, (facts) => updateNode(facts, offering, 'node.updated', now));
  }

  /** One of a node's sessions is alive: its presence and its claims are renewed. False when it does not count any more. */
  async #seen({ workspace, node }: AttachedNode, sessionId: string, status: string): Promise<boolean> {
    const { store, agents, starting } = this.#deps;
    if (starting.has(sessionId)) return true;
    const session = await store.sessions.get(workspace, sessionId);
    if (session?.nodeId !== node.nodeId || session.status !== 'running') return false;
    // In the background the agent says itself what it does.
    const { agentId, instanceId, epoch, target } = session;
    try {
      await agents.heartbeat(workspace, agentId, {
        guard: { instanceId, epoch },
        status: target === 'background' ? undefined : presenceBy(status),
      });
      return true;
    } catch (error) {
      if (error instanceof RelayError && (error.code === 'stale_session' || error.code === 'not_found')) return false;
      throw error;
    }
  }

  async #report(params: MethodParams<'sessions/report'>, context: NodeContext): Promise<MethodResult<'sessions/report'>> {
    const attached = this.#attached(context);
    const { sessionId, status, activity, reason } = params;
    await this.#hosted(attached, sessionId);
    if (status === 'ended' || status === 'failed') await this.end(attached.workspace, sessionId, status, reason ?? 'The agent ended');
    else if (activity !== undefined) await this.#seen(attached, sessionId, activity);
    return {};
  }

  async #append(params: MethodParams<'activity/append'>, context: NodeContext): Promise<MethodResult<'activity/append'>> {
    const attached = this.#attached(context);
    return this.#deps.activity.append(attached.workspace, await this.#hosted(attached, params.sessionId), params);
  }

  #attached({ link }: NodeContext): AttachedNode {
    const attached = this.#deps.registry.byLink(link);
    if (attached === null) throw new RelayError('forbidden', 'Attach first: nodes/attach names the machine this connection belongs to');
    return attached;
  }

  /** @throws RelayError `not_found`: a node learns nothing of sessions that are not its own. */
  async #hosted({ workspace, node }: AttachedNode, sessionId: string): Promise<Session> {
    const session = await this.#deps.store.sessions.get(workspace, sessionId);
    if (session?.nodeId !== node.nodeId) throw new RelayError('not_found', `There is no session ${sessionId} on this node`);
    return session;
  }

  async #writeOffline(workspace: string, node: Node, now: number): Promise<void> {
    const offline: Node = { ...node, status: 'offline', connectedAt: null, lastSeenAt: now };
    await this.#deps.store.nodes.change(workspace, node.nodeId, (facts) => updateNode(facts, offline, 'node.disconnected', now));
  }
}

/** What a newer node says beside these tells that the agent is there. */
const presenceBy = (word: string): AgentStatus => (word === 'idle' || word === 'busy' ? word : 'online');

/** @throws RelayError `unsupported` when there is no version that both speak. */
function agreedProtocol({ protocol, minProtocol = protocol }: Pick<MethodParams<'nodes/attach'>, 'protocol' | 'minProtocol'>): number {
  const shared = sharedProtocol(ownProtocols, { protocol, minProtocol });
  if (shared !== null) return shared;
  const [own, its] = [ownProtocols, { protocol, minProtocol }].map(spoken);
  throw new RelayError('unsupported', `This relay speaks protocol ${own}, the node ${its}: update the older one`);
}

const spoken = ({ protocol, minProtocol }: ProtocolRange): string =>
  minProtocol === protocol ? String(protocol) : `${minProtocol} to ${protocol}`;
