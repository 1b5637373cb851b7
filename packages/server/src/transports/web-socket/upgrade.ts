import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { MAX_REQUEST_BYTES, RelayError, toRelayError, WEB_SOCKET_PATH } from 'agent-relay-protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../../logger.ts';
import type { Relay } from '../../relay/contract/relay-contract.ts';
import { type Authenticator, type Caller, sessionCookieIn } from '../credentials.ts';
import { errorAnswer } from '../http/answer.ts';
import type { RequestGuard, RequestOrigin } from '../request-guard.ts';

export interface UpgradeDeps {
  readonly guard: RequestGuard;
  readonly authenticator: Authenticator;
  readonly relay: Pick<Relay, 'generation'>;
  readonly log: Logger;
  readonly accept: (webSocket: WebSocket, admitted: AdmittedSocket) => void;
}

interface Admitted {
  /** `null`: the caller has to name itself in its first frame; a browser does so with the word that belongs to its cookie. */
  readonly caller: Caller;
  readonly cookie: string | undefined;
}

export interface AdmittedSocket extends Admitted {
  /** What the frames come on. */
  readonly transport: Socket;
}

/** Answers every upgrade request of the HTTP server: guards it, finds out who it is, and hands the open socket on or says why not. */
export class UpgradeHandler {
  readonly #deps: UpgradeDeps;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_REQUEST_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  });

  constructor(deps: UpgradeDeps) {
    this.#deps = deps;
    // `ws` refuses a malformed handshake by itself; this only keeps its text out of the answer.
    this.#server.on('wsClientError', (_error, socket) =>
      refuse(socket, new RelayError('validation_failed', 'This is no WebSocket handshake of version 13')),
    );
  }

  readonly listener = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const ignore = () => socket.destroy();
    socket.on('error', ignore);
    this.#admit(request).then(
      (admitted) => {
        socket.off('error', ignore);
        if (socket.destroyed) return;
        this.#server.handleUpgrade(request, socket, head, (webSocket) =>
          this.#deps.accept(webSocket, { ...admitted, transport: request.socket }),
        );
      },
      (error: unknown) => {
        const refusal = toRelayError(error);
        if (refusal.code === 'internal') this.#deps.log.error('upgrade failed', { error: refusal.cause });
        refuse(socket, refusal);
      },
    );
  };

  async #admit(request: IncomingMessage): Promise<Admitted> {
    const { guard, authenticator, relay } = this.#deps;
    const origin = guard.check(request.headers);
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== WEB_SOCKET_PATH) throw new RelayError('not_found', 'There is no WebSocket at this path');
    const cookie = sessionCookieIn(request, origin, relay);
    const caller = await authenticator.authenticateRequest(request, origin);
    return { caller: caller?.type === 'anonymous' && isBrowser(origin) ? null : caller, cookie };
  }
}

const isBrowser = (origin: RequestOrigin): boolean => origin !== 'none';

function refuse(socket: Duplex, error: RelayError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body, headers } = errorAnswer(error);
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'connection: close',
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
}
