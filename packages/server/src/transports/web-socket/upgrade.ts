import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  CLAUDE_PATH,
  DIALLED_PATH,
  MAX_REQUEST_BYTES,
  principalName,
  RelayError,
  toRelayError,
  WEB_SOCKET_PATH,
} from 'agent-relay-protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../../logger.ts';
import type { Relay } from '../../relay/contract/relay-contract.ts';
import { type Authenticator, type Caller, sessionCookieIn } from '../credentials.ts';
import { errorAnswer } from '../http/answer.ts';
import type { RequestGuard, RequestOrigin } from '../request-guard.ts';
import { type DialledLinks, MAX_DIALLED_FRAME_BYTES } from './dialled-links.ts';

export interface UpgradeDeps {
  readonly guard: RequestGuard;
  readonly authenticator: Authenticator;
  readonly relay: Pick<Relay, 'generation'>;
  readonly log: Logger;
  readonly accept: (webSocket: WebSocket, admitted: AdmittedSocket) => void;
  /** Of programs that dial in, and of the machines that fetch their links. */
  readonly dialled: DialledLinks;
  /** Told of each socket of theirs. */
  readonly onDialled: (webSocket: WebSocket, transport: Socket, caller: () => string) => void;
}

interface Admitted {
  /** `null`: the caller has to name itself in its first frame; a browser does so with the word that belongs to its cookie. */
  readonly caller: Caller;
  readonly cookie: string | undefined;
  /** It comes for the link of a program that dialled in. */
  readonly linkId?: string;
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

  readonly #dialledServer = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_DIALLED_FRAME_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  });

  constructor(deps: UpgradeDeps) {
    this.#deps = deps;
    // `ws` refuses a malformed handshake by itself; this only keeps its text out of the answer.
    for (const server of [this.#server, this.#dialledServer])
      server.on('wsClientError', (_error, socket) =>
        refuse(socket, new RelayError('validation_failed', 'This is no WebSocket handshake of version 13')),
      );
  }

  readonly listener = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const ignore = () => socket.destroy();
    socket.on('error', ignore);
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (path.startsWith(`${CLAUDE_PATH}/`)) {
      socket.off('error', ignore);
      this.#dialledServer.handleUpgrade(request, socket, head, (webSocket) => {
        this.#deps.onDialled(webSocket, request.socket, () => path.split('/', 3).join('/'));
        void this.#deps.dialled.take(webSocket, request);
      });
      return;
    }
    this.#admit(request).then(
      (admitted) => {
        socket.off('error', ignore);
        if (socket.destroyed) return;
        if (admitted.linkId !== undefined) {
          const { linkId, caller } = admitted;
          this.#dialledServer.handleUpgrade(request, socket, head, (webSocket) => {
            this.#deps.onDialled(webSocket, request.socket, () => (caller ? principalName(caller) : ''));
            this.#deps.dialled.fetch(webSocket, linkId);
          });
          return;
        }
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
    if (path?.startsWith(`${DIALLED_PATH}/`)) {
      const caller = await authenticator.authenticateRequest(request, origin);
      if (caller?.type !== 'node' && caller?.type !== 'owner')
        throw new RelayError('forbidden', 'This is for nodes: it needs a node token, or the owner’s');
      return { caller, cookie: undefined, linkId: path.slice(DIALLED_PATH.length + 1) };
    }
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
