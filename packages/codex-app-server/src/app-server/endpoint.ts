import { realpath } from 'node:fs/promises';
import { RelayError } from 'agent-relay-protocol';
import type { MessageDuplex } from 'agent-relay-wire';
import { type ChildHandle, connectWebSocket, ndjsonDuplex } from 'agent-relay-wire/node';

/**
 * Where an app-server listens. Prefer `unix`: it needs no token (mode 0600), and Codex's TCP listener makes every turn pay about 40 ms because it
 * does not switch Nagle's delay off. `stdio` is a child of ours; its end is the server's end, so it cannot be reconnected.
 */
export type CodexEndpoint =
  | { readonly transport: 'unix'; readonly socketPath: string }
  | { readonly transport: 'websocket'; readonly url: string; readonly token?: string }
  | { readonly transport: 'stdio'; readonly child: ChildHandle };

/**
 * Reads where an app-server listens as `codex app-server --listen` takes it: `ws://127.0.0.1:4500`, `unix:///path/to/socket`; `wss://` beside it.
 * @throws RelayError `validation_failed` naming `endpoint`.
 */
export function parseEndpoint(endpoint: string): CodexEndpoint {
  const socketPath = /^unix:\/\/(\/.+)$/u.exec(endpoint)?.[1];
  if (socketPath !== undefined) return { transport: 'unix', socketPath };
  if (/^wss?:\/\/\S+$/u.test(endpoint) && URL.canParse(endpoint)) return { transport: 'websocket', url: endpoint };
  const message = 'An app-server is named as ws://127.0.0.1:4500 or unix:///path/to/socket';
  throw new RelayError('validation_failed', message, { issues: [{ path: 'endpoint', message }] });
}

/** Asked before each connection: a server that was started again may listen elsewhere. Waits while there is none. */
export type EndpointSource = () => Promise<CodexEndpoint>;

/** Codex drops the connection at a frame above 16 MiB; a message may be longer when it is split. */
const maxFrameBytes = 8 << 20;

export async function openEndpoint(endpoint: CodexEndpoint, signal?: AbortSignal): Promise<MessageDuplex> {
  const options = { maxFrameBytes, ...(signal ? { signal } : {}) };
  switch (endpoint.transport) {
    case 'stdio':
      return ndjsonDuplex(endpoint.child);
    case 'unix':
      return await connectWebSocket('ws://localhost/', { ...options, unixSocketPath: await resolvedSocket(endpoint.socketPath) });
    case 'websocket':
      return await connectWebSocket(endpoint.url, {
        ...options,
        ...(endpoint.token === undefined ? {} : { headers: { authorization: `Bearer ${endpoint.token}` } }),
      });
  }
}

/** Codex makes its socket elsewhere and leaves a symlink, which can be too long to connect to (107 bytes). */
async function resolvedSocket(socketPath: string): Promise<string> {
  try {
    return await realpath(socketPath);
  } catch (cause) {
    throw new RelayError('connection_closed', `There is no app-server socket at ${socketPath}`, { cause });
  }
}
