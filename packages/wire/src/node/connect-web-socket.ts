import type { Agent, IncomingMessage } from 'node:http';
import { connect as connectSocket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { type ErrorCode, RelayError, relayErrorFromBody } from 'agent-relay-protocol';
import { WebSocket } from 'ws';
import { asError, type MessageDuplex } from '../message-duplex.ts';
import { type WebSocketDuplexOptions, webSocketDuplex } from './web-socket-duplex.ts';

export interface ConnectWebSocketOptions extends WebSocketDuplexOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  /** Connect here instead of to the URL's host, which then only fills the `Host` header. Resolve symlinks first: the limit is 107 bytes. */
  readonly unixSocketPath?: string;
  /** By which the connection goes out, such as one for a proxy. */
  readonly agent?: Agent;
  /** Longest message accepted; a longer one ends the link with 1009. Default 64 MiB. */
  readonly maxPayloadBytes?: number;
  /** Default 10 000. */
  readonly handshakeTimeoutMs?: number;
  /**
   * The header by which the server marks its own answers. A refusal with neither it nor an error body is then that of a proxy in between:
   * `connection_closed`, whatever its status.
   */
  readonly serverHeader?: string;
  /** Gives up the handshake with the signal's reason. An open link is not its business: call `close`. */
  readonly signal?: AbortSignal;
  readonly tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase'> & { readonly rejectUnauthorized?: boolean };
}

/**
 * Opens a WebSocket (`ws:` or `wss:`, over TCP or a unix socket), without compression and without Nagle's delay.
 *
 * Throws the `RelayError` a refusing server put into its answer's body, else one by HTTP status (`unauthorized`, `forbidden`,
 * `not_found`, `rate_limited`), `timeout`, or `connection_closed` with the system's error as `cause`.
 */
export function connectWebSocket<In = unknown, Out = unknown>(
  url: string | URL,
  options: ConnectWebSocketOptions = {},
): Promise<MessageDuplex<In, Out>> {
  const { signal } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const socket = openSocket(url, options);
    let isTimedOut = false;
    const timeoutMs = options.handshakeTimeoutMs ?? 10_000;
    const timer = setTimeout(() => {
      isTimedOut = true;
      socket.terminate();
    }, timeoutMs);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
      // A socket given up may still report a fault later; nobody waits for it.
      socket.on('error', () => {});
    };
    const onAbort = () => {
      settle();
      socket.terminate();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('upgrade', (response) => response.socket.setNoDelay(true));
    socket.once('open', () => {
      settle();
      resolve(webSocketDuplex<In, Out>(socket, options));
    });
    socket.once('unexpected-response', (_request, response) => {
      void refusalFrom(response, options.serverHeader).then((refusal) => {
        settle();
        socket.terminate();
        reject(refusal);
      });
    });
    socket.once('error', (error) => {
      settle();
      reject(
        isTimedOut
          ? new RelayError('timeout', 'The WebSocket handshake took too long', { details: { timeoutMs } })
          : connectionFailed(error),
      );
    });
  });
}

function openSocket(url: string | URL, options: ConnectWebSocketOptions): WebSocket {
  const { unixSocketPath, tls, agent } = options;
  try {
    return new WebSocket(url, [...(options.protocols ?? [])], {
      headers: { ...options.headers },
      perMessageDeflate: false,
      maxPayload: options.maxPayloadBytes ?? 64 << 20,
      ...(tls ?? {}),
      ...(agent && { agent }),
      ...(unixSocketPath === undefined ? {} : { createConnection: () => connectSocket(unixSocketPath) }),
    });
  } catch (error) {
    throw new RelayError('validation_failed', asError(error).message, {
      issues: [{ path: 'url', message: 'must be a ws: or wss: URL' }],
      cause: error,
    });
  }
}

function connectionFailed(error: Error): RelayError {
  return new RelayError('connection_closed', `The WebSocket could not be opened: ${error.message}`, { cause: error });
}

const codeByStatus: Readonly<Record<number, ErrorCode>> = { 401: 'unauthorized', 403: 'forbidden', 404: 'not_found', 429: 'rate_limited' };

async function refusalFrom(response: IncomingMessage, serverHeader: string | undefined): Promise<RelayError> {
  const status = response.statusCode ?? 0;
  const isProxy = serverHeader !== undefined && response.headers[serverHeader] === undefined;
  const code = (isProxy ? undefined : codeByStatus[status]) ?? 'connection_closed';
  const refuser = isProxy ? 'Something between here and the server' : 'The server';
  const fallback = new RelayError(code, `${refuser} refused the WebSocket with HTTP status ${status}`, { details: { httpStatus: status } });
  try {
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk;
      if (text.length > 64 * 1024) return fallback;
    }
    const body: unknown = JSON.parse(text);
    const isOurs = typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'object';
    return isOurs ? relayErrorFromBody(body.error, fallback.code) : fallback;
  } catch {
    // No JSON body, or the server cut it short: the status says enough.
    return fallback;
  }
}
