import { VERSION_HEADER } from 'agent-relay-protocol';
import { assertSocketOfOwner, connectWebSocket } from 'agent-relay-wire/node';
import { fetchTo } from './node-fetch.ts';
import type { ConnectSocket, RelayClientOptions } from './options.ts';
import { createRelayClient, type RelayClient } from './relay-client.ts';
import { socketFetch } from './socket-fetch.ts';

export interface NodeRelayClientOptions extends RelayClientOptions {
  /**
   * A socket in the file system that the relay listens on beside its port; everything goes through it then, and nothing to the port. Looked at
   * before each connection: nothing is sent to another user's.
   */
  readonly socketPath?: string;
  /** A file whose owner must own the socket. Default: this process's user must. */
  readonly socketOwnerFile?: string;
}

/** Opens the relay's socket with the token in its upgrade request, which browsers cannot do. */
export const connectNodeSocket: ConnectSocket = (url, { token, signal }) => connectOver(url, { token, signal });

/** `createRelayClient` with Node's WebSocket; works on every supported Node. */
export function createNodeRelayClient({ socketPath, socketOwnerFile, ...options }: NodeRelayClientOptions): RelayClient {
  if (socketPath === undefined) return createRelayClient({ connectSocket: connectNodeSocket, fetch: fetchTo(options.url), ...options });
  return createRelayClient({
    fetch: socketFetch(socketPath, socketOwnerFile),
    connectSocket: async (url, { token, signal }) => {
      assertSocketOfOwner(socketPath, socketOwnerFile);
      return connectOver(url, { token, signal }, socketPath);
    },
    ...options,
  });
}

const connectOver = (
  url: string,
  { token, signal }: { readonly token: string | undefined; readonly signal: AbortSignal },
  unixSocketPath?: string,
): ReturnType<ConnectSocket> =>
  connectWebSocket(url, {
    signal,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    serverHeader: VERSION_HEADER,
    ...(unixSocketPath === undefined ? {} : { unixSocketPath }),
  });

export { type AgentIdentity, type AgentIdentityOptions, agentIdentity, agentProfile } from './agent-identity.ts';
export { type AskOutcome, type AskWhileAwayOptions, type Attempt, askWhileAway, neverArrived } from './node/ask-while-away.ts';
export { type FindRelayOptions, type FoundRelay, findRelay, localDatabasePath } from './node/find-relay.ts';
export { fetchTo, type OutgoingWay, outgoingFetch, proxyOnTheWay, readByProxy } from './node-fetch.ts';
export { type Profile, profilesPath, readProfile } from './profile.ts';
export { socketFetch } from './socket-fetch.ts';
