import {
  type ActivityEntry,
  type RegisterAgent,
  RelayError,
  type RelayEvent,
  type RouteName,
  WEB_SOCKET_PATH,
  waitMsOf,
} from 'agent-relay-protocol';
import { connectBrowserWebSocket, type JsonRpcPeer } from 'agent-relay-wire';
import { type ActivityOptions, followActivity } from './activity.ts';
import { AgentHandle } from './agent-handle.ts';
import { createCalls, type RelayCalls, type Transport } from './calls.ts';
import { ChannelHandle } from './channel-handle.ts';
import { type EventsOptions, followEvents, socketStretch, sseStretch } from './event-stream.ts';
import { httpTransport } from './http-transport.ts';
import { pollInbox, socketInbox } from './inbox.ts';
import type { LivenessOptions, RelayClientOptions } from './options.ts';
import { SocketLink } from './socket-link.ts';
import { VersionWatch } from './version-watch.ts';
import { watchLiveness } from './watch-liveness.ts';

export interface RegisterOptions extends RegisterAgent {
  /** How often the agent says that it is there, in ms. Default 30 000; the relay calls an agent offline after two minutes of silence. */
  readonly heartbeatMs?: number;
}

/** A channel is registered like an agent, under the name of what it reaches the outside by. */
export type ChannelOptions = Omit<RegisterOptions, 'kind' | 'transport'> & { readonly transport: string };

/** What `createRelayClient` answers: every route as a typed call, and the live things on top. */
export interface RelayClient extends RelayCalls {
  /** Registers an agent and keeps it present. */
  register(options: RegisterOptions): Promise<AgentHandle>;
  /** Registers a channel to people outside and keeps it present. */
  channel(options: ChannelOptions): Promise<ChannelHandle>;
  /** Follows the log; reconnects and resumes inside. Ends when `signal` aborts or the client is closed. */
  events(options?: EventsOptions): AsyncGenerator<RelayEvent, void, undefined>;
  /** Follows what one agent does, deltas included. */
  activity(agentId: string, options?: ActivityOptions): AsyncGenerator<ActivityEntry, void, undefined>;
  /** Ends all streams and the socket. Idempotent. Agents are closed by their own handles. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A client of one relay. Nothing is connected until the first call. */
export function createRelayClient(options: RelayClientOptions): RelayClient {
  const baseUrl = options.url.replace(/\/+$/u, '');
  const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  const timeoutMs = options.timeoutMs ?? 30_000;
  const closing = new AbortController();
  const versions = new VersionWatch(options.onVersion);
  const link = new SocketLink(withLiveness(withVersion(linkOptions(baseUrl, options), versions), options.liveness));
  const overSocket = options.transport === 'socket';
  const calls = createCalls(
    overSocket ? socketTransport(link, timeoutMs) : httpTransport({ baseUrl, token: options.token, fetch, timeoutMs, versions }),
  );
  const stretch = overSocket ? socketStretch(link) : sseStretch({ baseUrl, token: options.token, fetch });
  const openInbox = overSocket ? socketInbox(link) : pollInbox(calls);
  const untilClosed = (signal: AbortSignal | undefined) => (signal ? AbortSignal.any([signal, closing.signal]) : closing.signal);
  const close = async () => {
    closing.abort(new RelayError('connection_closed', 'This client was closed'));
    await link.close();
  };
  const register = async ({ heartbeatMs = 30_000, ...request }: RegisterOptions) => {
    const registration = { ...request, instanceId: request.instanceId ?? crypto.randomUUID() };
    const agent = await calls.agents.register(registration);
    return new AgentHandle({ calls, registration, agent, openInbox, heartbeatMs });
  };
  return {
    ...calls,
    register,
    channel: async (request) => new ChannelHandle({ calls, agent: await register({ ...request, kind: 'channel' }), openInbox }),
    events: (request = {}) => followEvents(stretch, { ...request, signal: untilClosed(request.signal) }),
    activity: (agentId, request = {}) => followActivity(link, agentId, { ...request, signal: untilClosed(request.signal) }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function linkOptions(baseUrl: string, { token, session, connectSocket }: RelayClientOptions): ConstructorParameters<typeof SocketLink>[0] {
  const url = `${baseUrl.replace(/^http/u, 'ws')}${WEB_SOCKET_PATH}`;
  if (connectSocket)
    return { connect: (signal) => connectSocket(url, { ...(token === undefined ? {} : { token }), signal }), greet: async () => {} };
  return {
    connect: (signal) => connectBrowserWebSocket(url, { signal }),
    greet: async (peer: JsonRpcPeer) => {
      const word = session?.() ?? null;
      if (token !== undefined) await peer.request('auth/authenticate', { token });
      else if (word !== null) await peer.request('auth/authenticate', { session: word });
    },
  };
}

/** Each new connection may lead to another version than the one before. */
function withVersion(
  { connect, greet }: ConstructorParameters<typeof SocketLink>[0],
  versions: VersionWatch,
): ConstructorParameters<typeof SocketLink>[0] {
  if (!versions.isWanted) return { connect, greet };
  return {
    connect,
    greet: async (peer) => {
      await greet(peer);
      // Nobody waits for it, and a relay that does not know the question is no reason to fail.
      peer.request('system/version', {}).then(
        (answer) => versions.see(answer),
        () => {},
      );
    },
  };
}

function withLiveness(
  { connect, greet }: ConstructorParameters<typeof SocketLink>[0],
  liveness: LivenessOptions | undefined,
): ConstructorParameters<typeof SocketLink>[0] {
  if (liveness === undefined) return { connect, greet };
  return {
    connect,
    greet: async (peer) => {
      await greet(peer);
      void watchLiveness(peer, liveness);
    },
  };
}

function socketTransport(link: SocketLink, defaultTimeoutMs: number): Transport {
  return async (name: RouteName, request, { signal, timeoutMs = defaultTimeoutMs }) => {
    const { peer } = await link.connection();
    return peer.request(name, request, { timeoutMs: timeoutMs + waitMsOf(name, request), ...(signal ? { signal } : {}) });
  };
}
