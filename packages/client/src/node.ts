import { VERSION_HEADER } from 'agent-relay-protocol';
import { connectWebSocket } from 'agent-relay-wire/node';
import type { ConnectSocket, RelayClientOptions } from './options.ts';
import { createRelayClient, type RelayClient } from './relay-client.ts';

/** Opens the relay's socket with the token in its upgrade request, which browsers cannot do. */
export const connectNodeSocket: ConnectSocket = (url, { token, signal }) =>
  connectWebSocket(url, {
    signal,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    serverHeader: VERSION_HEADER,
  });

/** `createRelayClient` with Node's WebSocket; works on every supported Node. */
export function createNodeRelayClient(options: RelayClientOptions): RelayClient {
  return createRelayClient({ connectSocket: connectNodeSocket, ...options });
}

export { type AgentIdentity, type AgentIdentityOptions, agentIdentity, agentProfile } from './agent-identity.ts';
export { type Profile, profilesPath, readProfile } from './profile.ts';
