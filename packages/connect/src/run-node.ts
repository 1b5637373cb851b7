import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { socketFetch } from 'agent-relay-client/node';
import { createHost, type Host, type HostOptions, type SessionEnd, type SessionIdentity } from 'agent-relay-host';
import { DIALLED_PATH, errorTable, type MethodRequest, messageOf, ownProtocols, RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import type { Provider } from 'agent-relay-provider';
import { backoffDelays, type DuplexClosed, type Log, sleep } from 'agent-relay-wire';
import { DialledSessions } from './dialled-sessions.ts';
import { describeHooks, type HooksFile, openHooksFile } from './hooks-file.ts';
import { InboxSubscriptions } from './inbox-subscriptions.ts';
import { KeptAgents } from './kept-agents.ts';
import { LinkHolder } from './link-holder.ts';
import { type NodeCommandsOptions, nodeCommandHandler } from './node-commands.ts';
import { NodeRelay, type NodeRelayOptions } from './node-relay.ts';
import type { NodeStatus } from './node-status.ts';
import { anyOwner, type Owner } from './owner/owner.ts';
import { openSocket, RelayLink } from './relay-link.ts';
import { lockState, type StateLock } from './state-lock.ts';
import { ToolDoor } from './tool-door.ts';

export interface NodeOptions {
  /** The relay's http(s) address. */
  readonly url: URL;
  /** A socket in the file system that the relay listens on: this node goes through it, for its agents' tools too, and not to the address. */
  readonly socketPath?: string | undefined;
  /** A file whose owner must own that socket, at each connection. Default: this process's user must. */
  readonly socketOwnerFile?: string | undefined;
  /** Asked at each connection, so that a renewed token is found. */
  readonly readToken: () => Promise<string>;
  /** How people know this machine. */
  readonly name: string;
  readonly stateDir: string;
  readonly allowedFolders: readonly string[];
  readonly providers: readonly Provider[];
  /** What the owner of this machine allows, asked at each start and now and then. Default: anything. */
  readonly owner?: Owner;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Further variables that agents get beside what every program needs and what their provider names; `X_*` is every name that begins so. */
  readonly allowedEnvironment?: readonly string[];
  readonly clock: { now(): number };
  /** Told what a person would want to know, as it happens. */
  readonly onStatus?: (status: NodeStatus) => void;
  /** How long the agents live on without their relay. Default ten minutes. */
  readonly graceMs?: number;
  /** Default 10 000. */
  readonly heartbeatMs?: number;
  /** `agent-relay.yaml`: what this machine does when something happens to its agents. Read again when it changes. */
  readonly hooksFile?: string;
  readonly hostLimits?: Pick<HostOptions, 'progress' | 'startLimitMs' | 'approvalTimeoutMs' | 'sandbox' | 'sandboxRead'>;
}

/** Why a node ended: it was asked to, the relay stayed away too long, or the relay will never take it. */
export type NodeEnd =
  | { readonly type: 'stopped' | 'abandoned' }
  | { readonly type: 'refused'; readonly error: RelayError; readonly wasAttached: boolean };

export interface RunningNode {
  /** Resolves once, when the agents are gone and the folder is free. */
  readonly ended: Promise<NodeEnd>;
  /** Releases the agents with their whole trees, tells the relay, and ends. Idempotent. */
  stop(reason: string): Promise<void>;
}

/** What the token of a machine of its own begins with; the owner's is written anew where it was lost. */
const NODE_TOKEN = 'ar_node_';

/** A machine that attaches again soon says what it saw last; the relay has it look again when somebody asks. */
const KNOWN_FOR_MS = 60_000;

/** How long leaving may take after the agents are gone, to tell the relay. */
const FAREWELL_MS = 3_000;

/**
 * Lends this machine to a relay. Connects again for as long as the relay has been away less than the grace period; its agents live meanwhile.
 * @throws RelayError `busy` when another node uses the state folder.
 */
export async function runNode(options: NodeOptions): Promise<RunningNode> {
  const lock = await lockState(options.stateDir);
  try {
    const { url, socketPath, socketOwnerFile, providers, stateDir, allowedFolders, log, clock, env, allowedEnvironment, hostLimits } =
      options;
    const links = new LinkHolder();
    const fetch = socketPath === undefined ? globalThis.fetch : socketFetch(socketPath, socketOwnerFile);
    const tools = await ToolDoor.open({ url, fetch, log });
    const dialledSessions = new DialledSessions(async (linkId) => {
      const way = { url, socketPath, socketOwnerFile, token: await options.readToken() };
      return openSocket(way, `${DIALLED_PATH}/${linkId}`, { framing: 'lines' });
    });
    let node: ConnectedNode | null = null;
    const onEnded: NodeRelayOptions['onEnded'] = (session, end) => {
      dialledSessions.end(session.sessionId);
      options.onStatus?.({ type: 'agentEnded', agentId: session.agentId, reason: end.reason });
      node?.agentEnded(session, end);
    };
    const relay = new NodeRelay({ links, log, tools, onEnded });
    const hooks =
      options.hooksFile === undefined
        ? null
        : openHooksFile(
            options.hooksFile,
            log,
            providers.map(({ id }) => id),
          );
    const host = await createHost({
      providers,
      stateDir,
      allowedFolders,
      relay,
      log,
      clock,
      env,
      ...(allowedEnvironment && { allowedEnvironment }),
      ...(hooks && { hooks: () => hooks.current }),
      ...hostLimits,
    });
    relay.serve(host);
    node = new ConnectedNode(options, { lock, links, relay, host, tools, dialledSessions, hooks });
    return node;
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Parts {
  readonly lock: StateLock;
  readonly links: LinkHolder;
  readonly relay: NodeRelay;
  readonly host: Host;
  readonly tools: ToolDoor;
  readonly dialledSessions: DialledSessions;
  readonly hooks: HooksFile | null;
}

/** States: *connecting* and *attached* in turn, then *leaving*, then ended. Agents run in all but the last. */
class ConnectedNode implements RunningNode {
  readonly ended: Promise<NodeEnd>;
  readonly #options: NodeOptions;
  readonly #parts: Parts;
  readonly #leaving = new AbortController();
  readonly #kept: KeptAgents;
  #stopReason: string | null = null;
  #shownToken: string | null = null;

  constructor(options: NodeOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    const { links, relay, host } = parts;
    this.#kept = new KeptAgents({
      links,
      owner: this.#owner,
      log: options.log,
      clock: options.clock,
      isSettled: () => relay.isSettled,
      isRunning: (agentId) => host.running.some((session) => session.agentId === agentId),
      workspacesFolder: join(options.stateDir, 'workspaces'),
      signal: this.#leaving.signal,
    });
    this.ended = this.#run();
  }

  agentEnded(session: SessionIdentity, end: SessionEnd): void {
    if (!this.#leaving.signal.aborted) void this.#kept.ended(session, end);
  }

  async stop(reason: string): Promise<void> {
    this.#stopReason ??= reason;
    this.#leaving.abort();
    await this.ended;
  }

  async #run(): Promise<NodeEnd> {
    try {
      const end = await this.#stayConnected();
      const reason = {
        stopped: this.#stopReason ?? 'The node stopped',
        abandoned: 'The relay was away too long',
        refused: 'The relay refused the node',
      };
      await this.#leave(reason[end.type]);
      return end;
    } finally {
      this.#parts.lock.release();
    }
  }

  async #stayConnected(): Promise<NodeEnd> {
    const { clock, graceMs = 600_000, log, onStatus = () => {} } = this.#options;
    let lostAt = clock.now();
    let wasAttached = false;
    let delays = backoffDelays({ initialMs: 100, maxMs: 5_000 });
    while (!this.#leaving.signal.aborted) {
      try {
        const link = await this.#attach();
        wasAttached = true;
        delays = backoffDelays({ initialMs: 100, maxMs: 5_000 });
        const closed = await untilClosed(link, this.#leaving.signal);
        if (this.#leaving.signal.aborted) break;
        // Connecting again would take it back from there, and so on for ever.
        if (closed?.code === errorTable.stale_session.closeCode)
          return {
            type: 'refused',
            error: new RelayError('stale_session', 'another process has attached as the same machine'),
            wasAttached,
          };
        log.warn('the relay is gone, connecting again');
        onStatus({ type: 'lost' });
        lostAt = clock.now();
      } catch (error) {
        if (this.#leaving.signal.aborted) break;
        if (error instanceof RelayError && (willNeverPass(error, wasAttached) || (await this.#isRevoked(error))))
          return { type: 'refused', error, wasAttached };
        log.warn('the relay cannot be reached', error instanceof RelayError ? { code: error.code, reason: error.message } : { error });
        onStatus({ type: 'unreachable', reason: messageOf(error) });
      }
      const leftMs = lostAt + graceMs - clock.now();
      if (leftMs <= 0) return { type: 'abandoned' };
      await sleep(Math.min(delays.next().value, leftMs), { signal: this.#leaving.signal });
    }
    return { type: 'stopped' };
  }

  /** A machine's own token, once it is refused, is refused for ever: unless another has been put in its place. */
  async #isRevoked({ code }: RelayError): Promise<boolean> {
    const shown = this.#shownToken;
    if (code !== 'unauthorized' || !shown?.startsWith(NODE_TOKEN)) return false;
    return (await this.#options.readToken().catch(() => null)) === shown;
  }

  /** Opens a link and offers this machine on it; the link is current only once the relay has taken it. */
  async #attach(): Promise<RelayLink> {
    const { url, socketPath, socketOwnerFile, readToken, log, name, onStatus = () => {} } = this.#options;
    const { links, relay, host } = this.#parts;
    let inboxes: InboxSubscriptions | null = null;
    const subscribe = (session: SessionIdentity) => void inboxes?.subscribe(session);
    this.#shownToken = await readToken();
    const link = await RelayLink.open({
      url,
      socketPath,
      socketOwnerFile,
      token: this.#shownToken,
      signal: this.#leaving.signal,
      onCommand: this.#commands(subscribe),
      onNotification: (method, params) => inboxes?.receive(method, params),
      onError: (error, method) => log.error('a command failed', { method, error }),
    });
    const release = (sessionId: string, reason: string) => this.#release(sessionId, reason);
    inboxes = new InboxSubscriptions({
      link,
      log,
      deliver: (sessionId, items) => host.deliver(sessionId, items),
      onOpen: (sessionId) => host.wake(sessionId),
      onLost: release,
    });
    const giveUp = () => void link.close();
    this.#leaving.signal.addEventListener('abort', giveUp, { once: true });
    try {
      const offer = await this.#offer(KNOWN_FOR_MS);
      const { providers } = offer;
      const running = host.running;
      const answer = await link.callNode('nodes/attach', {
        name,
        version: RELAY_VERSION,
        ...ownProtocols,
        ...offer,
        sessions: host.buffers.map(({ owner, lastSeq }) => ({ ...identityOf(owner), lastSeq })),
      });
      log.info('attached to the relay', { nodeId: answer.nodeId, sessions: running.length });
      if (answer.version !== undefined && answer.version !== RELAY_VERSION) {
        log.warn('the relay runs another version than this node: update the older one', { relay: answer.version, node: RELAY_VERSION });
      }
      const kept = new Set(answer.sessions.filter(({ keep }) => keep).map(({ sessionId }) => sessionId));
      for (const { sessionId, ackedSeq } of answer.sessions) relay.resumeFrom(sessionId, ackedSeq);
      relay.deliverFrom(inboxes);
      links.set(link);
      this.#beat(link, offer);
      this.#kept.confirmed(running.flatMap(({ sessionId, agentId }) => (kept.has(sessionId) ? [agentId] : [])));
      for (const { sessionId } of running) if (!kept.has(sessionId)) release(sessionId, 'The relay has given this agent up');
      // What the runtimes said before the link was lost goes first: mail they have is then not offered again.
      await relay.reports.flush();
      for (const session of running) if (kept.has(session.sessionId) && !session.fetchesItsMail) subscribe(session);
      void relay.flush();
      this.#kept.attached(answer.nodeId).catch((error: unknown) => log.error('no agent is kept', { error }));
      onStatus({
        type: 'attached',
        nodeId: answer.nodeId,
        name: answer.name ?? name,
        providers,
        relayVersion: answer.version ?? null,
        agents: host.running.map(({ agentId }) => agentId),
      });
      return link;
    } catch (error) {
      links.set(null);
      await link.close();
      throw error;
    } finally {
      this.#leaving.signal.removeEventListener('abort', giveUp);
    }
  }

  get #owner(): Owner {
    return this.#options.owner ?? anyOwner;
  }

  /** What this machine offers. A file that cannot be read as it is lets nothing be started, and is said in its own words. */
  async #offer(maxAgeMs: number): Promise<Offer> {
    const found = await this.#parts.host.detect(maxAgeMs);
    try {
      const { announced, offered } = await this.#owner.terms();
      return { providers: [...offered(found)], ...(announced && { terms: announced }) };
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      this.#options.log.error('nothing is started here', { reason: error.message });
      return { providers: found.map((provider) => ({ ...provider, available: false, reason: error.message })) };
    }
  }

  /** Does what the relay asks for; told of each session that it starts. */
  #commands(subscribe: (session: SessionIdentity) => void): ReturnType<typeof nodeCommandHandler> {
    const { url, onStatus = () => {} } = this.#options;
    const { host, tools, dialledSessions, hooks } = this.#parts;
    const onStarted: NodeCommandsOptions['onStarted'] = (session) => {
      // In the background its mail is fetched beside it.
      if (session.target !== 'background') subscribe(session);
      onStatus({ type: 'agentStarted', agentId: session.agentId, provider: session.provider });
    };
    return nodeCommandHandler({
      host,
      tools,
      dialledSessions,
      owner: this.#owner,
      isKept: (start) => this.#kept.isAskingFor(start),
      hooks: () => describeHooks(hooks, [...host.recentHookRuns]),
      url,
      onStarted,
    });
  }

  #beat(link: RelayLink, first: Offer): void {
    const { heartbeatMs = 10_000, log } = this.#options;
    const { host, relay } = this.#parts;
    let told = first;
    const beat = async () => {
      const sessions = host.running.map(({ sessionId, presence }) => ({ sessionId, status: presence }));
      // Programs are not looked for with each beat.
      const offer = await this.#offer(Number.POSITIVE_INFINITY);
      const isNew = !isDeepStrictEqual(ownersPart(offer), ownersPart(told));
      const answer = await link.callNode('nodes/heartbeat', { sessions, ...(isNew && { offer }) });
      told = offer;
      return answer;
    };
    const timer = setInterval(() => {
      beat()
        .then(({ release }) => {
          for (const sessionId of release) this.#release(sessionId, 'The relay has given this agent up');
          return relay.flush();
        })
        .catch(async (error: unknown) => {
          log.warn('a heartbeat failed', { error });
          // A relay that answers with an error is there; one that does not answer is not.
          if (error instanceof RelayError && error.code === 'timeout') await link.close();
        });
    }, heartbeatMs);
    void link.closed.then(() => clearInterval(timer));
  }

  #release(sessionId: string, reason: string): void {
    const { host } = this.#parts;
    host
      .release(sessionId, reason)
      .catch((error: unknown) => this.#options.log.error('an agent could not be released', { sessionId, error }));
  }

  async #leave(reason: string): Promise<void> {
    const { host, relay, links, tools } = this.#parts;
    await host.close(reason);
    await tools.close();
    const { clock } = this.#options;
    const until = clock.now() + FAREWELL_MS;
    while (links.current !== null && !relay.isSettled && clock.now() < until) {
      await relay.flush();
      if (!relay.isSettled) await sleep(50);
    }
    await links.current?.close();
  }
}

type Offer = Pick<MethodRequest<'nodes/attach'>, 'providers' | 'terms'>;

/** Of an offer what changes when the owner changes it. Which programs are there the relay asks by itself. */
const ownersPart = ({ providers, terms }: Offer) => ({ terms, reasons: providers.map(({ id, reason }) => [id, reason]) });

/** Credentials that were good once may be good again; those that never were will not become so by asking. */
const willNeverPass = ({ code }: RelayError, wasAttached: boolean): boolean =>
  code === 'unsupported' || (!wasAttached && (code === 'unauthorized' || code === 'forbidden' || code === 'forbidden_scope'));

const identityOf = ({ sessionId, agentId, instanceId, epoch }: SessionIdentity): SessionIdentity => ({
  sessionId,
  agentId,
  instanceId,
  epoch,
});

/** How the link ended; null when the signal came first. */
function untilClosed(link: RelayLink, signal: AbortSignal): Promise<DuplexClosed | null> {
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  return Promise.race([link.closed, aborted]);
}
