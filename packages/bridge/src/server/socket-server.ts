import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { RelayError } from 'agent-relay-protocol';
import type { Log } from 'agent-relay-wire';
import { type WebSocket, WebSocketServer } from 'ws';
import { limits } from '../agent-ws/limits.ts';
import { ClientSocket } from './client-socket.ts';
import { isLocalRequest } from './local-requests.ts';

export interface SocketServerOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined lets in who comes from this machine's pages, or from no page. */
  readonly authToken: string | undefined;
  /** Empty takes any origin with the token, and without one those of this machine. */
  readonly allowedOrigins: readonly string[];
  readonly maxConnectionsPerAddress: number;
  readonly onConnection: (socket: ClientSocket, query: URLSearchParams) => void;
  readonly log: Log;
}

interface Refusal {
  readonly code: number;
  readonly reason: string;
}

/**
 * The door of a bridge. Everybody is let through the upgrade and refused by a close frame, as clients of agent-ws expect it: a browser shows its page
 * nothing of an HTTP status.
 */
export class SocketServer {
  readonly #options: SocketServerOptions;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: limits.payloadBytes, perMessageDeflate: false });
  /** For those who are refused: of what they send nothing is read but their goodbye. */
  readonly #refused = new WebSocketServer({ noServer: true, maxPayload: 125, perMessageDeflate: false });
  readonly #perAddress = new Map<string, number>();
  readonly #alive = new WeakSet<WebSocket>();
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #isClosing = false;

  constructor(options: SocketServerOptions) {
    this.#options = options;
    this.#server = createServer((_request, response) => {
      response.writeHead(426, { connection: 'close', 'content-type': 'text/plain' });
      response.end('Upgrade Required');
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
    for (const sockets of [this.#sockets, this.#refused]) sockets.on('wsClientError', (_error, socket) => socket.destroy());
  }

  /** Resolves with the port. @throws RelayError `busy` when it is taken, `internal` with the system's words. */
  listen(): Promise<number> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const isTaken = error.code === 'EADDRINUSE';
        const message = isTaken ? `Port ${port} is in use; take another with --port` : `Cannot listen on ${host}:${port}: ${error.message}`;
        reject(new RelayError(isTaken ? 'busy' : 'internal', message, { cause: error }));
      });
      this.#server.listen(port, host, () => {
        // Such as no room for one more connection: those that are there go on.
        this.#server.on('error', (error) => this.#options.log.error('a connection could not be taken', { error }));
        this.#heartbeat = setInterval(() => this.#beat(), limits.heartbeatMs);
        resolve((this.#server.address() as AddressInfo).port); // it listens on a port
      });
    });
  }

  /** Nobody is let in any more. */
  stopAccepting(): void {
    this.#isClosing = true;
  }

  tellAll(text: string): void {
    for (const socket of this.#sockets.clients) if (socket.readyState === socket.OPEN) socket.send(text, () => {});
  }

  async close(code: number, reason: string): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#heartbeat);
    const gone = [...this.#sockets.clients, ...this.#refused.clients].map((socket) => {
      const client = new ClientSocket(socket);
      client.close(code, reason);
      return client.closed;
    });
    await Promise.all(gone);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on('error', () => {}); // ends that connection
    // Not parsed as an address: `//` and a host that is none are no reason to fail.
    const [, text = ''] = (request.url ?? '').split(/\?(.*)/su);
    const query = new URLSearchParams(text);
    const refusal = this.#refusal(request, query.get('token'));
    if (refusal === null)
      this.#sockets.handleUpgrade(request, stream, head, (socket) => {
        this.#sockets.emit('connection', socket, request);
        this.#admit(socket, request, query);
      });
    else
      this.#refused.handleUpgrade(request, stream, head, (socket) => {
        this.#options.log.warn('a connection was refused', { address: request.socket.remoteAddress, reason: refusal.reason });
        new ClientSocket(socket).close(refusal.code, refusal.reason);
      });
  }

  #admit(socket: WebSocket, { socket: { remoteAddress = '' } }: IncomingMessage, query: URLSearchParams): void {
    const client = new ClientSocket(socket);
    this.#count(remoteAddress, client);
    this.#alive.add(socket);
    socket.on('pong', () => this.#alive.add(socket));
    this.#options.onConnection(client, query);
  }

  #refusal({ headers, socket }: IncomingMessage, token: string | null): Refusal | null {
    const { allowedOrigins, authToken, maxConnectionsPerAddress, host } = this.#options;
    if (this.#isClosing) return { code: 1001, reason: 'Server is shutting down' };
    const isFromAllowed = headers.origin !== undefined && allowedOrigins.includes(headers.origin);
    if (allowedOrigins.length > 0 && !isFromAllowed) return { code: 4003, reason: 'Origin not allowed' };
    if (allowedOrigins.length === 0 && authToken === undefined && !isLocalRequest(headers, host))
      return { code: 4003, reason: 'Without a token only pages and names of this machine are allowed' };
    if (authToken !== undefined && !isSameToken(token ?? '', authToken)) return { code: 4401, reason: 'Invalid or missing auth token' };
    if ((this.#perAddress.get(socket.remoteAddress ?? '') ?? 0) >= maxConnectionsPerAddress)
      return { code: 4029, reason: 'Too many connections' };
    return null;
  }

  #count(address: string, client: ClientSocket): void {
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    void client.closed.then(() => {
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
  }

  #beat(): void {
    for (const socket of this.#sockets.clients) {
      if (!this.#alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const isSameToken = (shown: string, expected: string): boolean => timingSafeEqual(digest(shown), digest(expected));
