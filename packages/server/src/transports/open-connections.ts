import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Logger } from '../logger.ts';
import { Lying, toEnd } from './lying-bytes.ts';
import { writePiecewise } from './piecewise-writes.ts';

/** So many bytes may lie unsent for all clients together, and so many half received or unhandled of all, before some end. */
export const MAX_LYING_BYTES = 64 * 1024 * 1024;
const LOOK_EVERY_MS = 250;

interface OpenConnectionsDeps {
  readonly log: Logger;
  /** Default `MAX_LYING_BYTES`, each way. */
  readonly maxLyingBytes?: number | undefined;
  readonly elapsedMs: () => number;
}

interface Connection {
  readonly unsent: Lying;
  readonly unfinished: Lying;
  /** Who has named themselves on it; nobody to begin with. */
  caller: () => string;
}

type Way = 'unsent' | 'unfinished';

/**
 * The connections of a server. What all of them together leave lying has a bound each way: above it some end, as `toEnd` says. A follower of the
 * log goes on from its cursor when it comes back.
 */
export class OpenConnections {
  readonly #deps: OpenConnectionsDeps;
  readonly #open = new Map<Socket, Connection>();
  /** Of what a socket has brought, how much belongs to requests that are done with. */
  readonly #finished = new WeakMap<Socket, number>();
  readonly #frames = new WeakMap<Socket, { readonly webSocket: Pick<WebSocket, 'isPaused'>; through: number }>();
  readonly #excessSinceMs: Record<Way, number | null> = { unsent: null, unfinished: null };
  readonly #timer: NodeJS.Timeout;

  constructor(server: Pick<EventEmitter, 'on'>, deps: OpenConnectionsDeps) {
    this.#deps = deps;
    server.on('connection', (socket: Socket) => {
      this.#open.set(socket, this.#watched(socket));
      socket.once('close', () => this.#open.delete(socket));
    });
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Whose the connection is, asked whenever it matters. */
  belongsTo(socket: Socket, caller: () => string): void {
    const connection = this.#open.get(socket);
    if (connection) connection.caller = caller;
  }

  /** What the request brought is held until it has been read and handled. */
  serves(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const finish = () => void this.#finished.set(socket, socket.bytesRead);
    request.once('end', finish);
    response.once('close', finish);
  }

  /** From here on frames come: each is held until it is whole, and all of them while the socket is not read. */
  carries(socket: Socket, webSocket: Pick<WebSocket, 'isPaused' | 'on'>): void {
    const frames = { webSocket, through: socket.bytesRead };
    this.#frames.set(socket, frames);
    webSocket.on('message', () => {
      frames.through = socket.bytesRead;
    });
  }

  /** Those that clients opened ahead of time and sent nothing on: Node never counts them as idle. */
  closeSilent(): void {
    for (const socket of this.#open.keys()) if (socket.bytesRead === 0) socket.destroy();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #watched(socket: Socket): Connection {
    const written = writePiecewise(socket);
    return {
      unsent: new Lying(
        () => socket.writableLength,
        () => written.bytes,
      ),
      unfinished: new Lying(
        () => socket.bytesRead - (this.#finished.get(socket) ?? 0),
        () => socket.bytesRead,
      ),
      caller: () => '',
    };
  }

  #look(): void {
    const nowMs = this.#deps.elapsedMs();
    for (const [socket, { unsent, unfinished }] of this.#open) {
      const frames = this.#frames.get(socket);
      if (frames && !frames.webSocket.isPaused) this.#finished.set(socket, frames.through);
      unsent.look(nowMs);
      unfinished.look(nowMs);
    }
    this.#bound('connections that take nothing were ended', 'unsent', nowMs);
    this.#bound('connections whose requests do not end were ended', 'unfinished', nowMs);
  }

  #bound(what: string, way: Way, nowMs: number): void {
    const { maxLyingBytes: maxBytes = MAX_LYING_BYTES, log } = this.#deps;
    let sum = 0;
    for (const { [way]: lying } of this.#open.values()) sum += lying.bytes;
    const excessSinceMs = sum > maxBytes ? (this.#excessSinceMs[way] ?? nowMs) : null;
    this.#excessSinceMs[way] = excessSinceMs;
    if (excessSinceMs === null) return;
    const held = [...this.#open].map(([socket, { caller, [way]: lying }]) => ({
      socket,
      caller: caller(),
      bytes: lying.bytes,
      sinceMs: lying.sinceMs,
    }));
    const ended = toEnd(held, { maxBytes, nowMs, excessSinceMs });
    for (const { socket } of ended) socket.destroy();
    if (ended.size > 0) log.warn(what, { connections: ended.size });
  }
}
