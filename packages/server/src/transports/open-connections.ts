import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Logger } from '../logger.ts';

/** So many bytes may lie unsent for all clients together, and so many half received or unhandled of all, before those end that stand still. */
export const MAX_LYING_BYTES = 64 * 1024 * 1024;
/** Whoever went on within this time is not ended: much may be under way of many at once. */
const STALLED_MS = 1_000;
const LOOK_EVERY_MS = 250;

interface OpenConnectionsDeps {
  readonly log: Logger;
  /** Default `MAX_LYING_BYTES`, each way. */
  readonly maxLyingBytes?: number | undefined;
  readonly elapsedMs: () => number;
}

/** What one connection leaves lying one way, and since when it has not gone on with it. */
class Lying {
  readonly #socket: Socket;
  readonly #lyingIn: (socket: Socket) => number;
  /** Of the bytes that went this way, how many have been dealt with. */
  readonly #doneIn: (socket: Socket) => number;
  bytes = 0;
  sinceMs = 0;
  #done = 0;

  constructor(socket: Socket, lyingIn: (socket: Socket) => number, doneIn: (socket: Socket) => number) {
    this.#socket = socket;
    this.#lyingIn = lyingIn;
    this.#doneIn = doneIn;
  }

  look(nowMs: number): void {
    const done = this.#doneIn(this.#socket);
    if (this.bytes === 0 || done !== this.#done) this.sinceMs = nowMs;
    this.bytes = this.#lyingIn(this.#socket);
    this.#done = done;
  }
}

interface Connection {
  readonly unsent: Lying;
  readonly unfinished: Lying;
}

/**
 * The connections of a server. What all of them together leave lying has a bound each way: above it those end that have stood still for longest. A
 * follower of the log goes on from its cursor when it comes back.
 */
export class OpenConnections {
  readonly #deps: OpenConnectionsDeps;
  readonly #open = new Map<Socket, Connection>();
  /** Of what a socket has brought, how much belongs to requests that are done with. */
  readonly #finished = new WeakMap<Socket, number>();
  readonly #frames = new WeakMap<Socket, { readonly webSocket: Pick<WebSocket, 'isPaused'>; through: number }>();
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
    return {
      unsent: new Lying(
        socket,
        ({ writableLength }) => writableLength,
        ({ bytesWritten, writableLength }) => bytesWritten - writableLength,
      ),
      unfinished: new Lying(
        socket,
        (of) => of.bytesRead - (this.#finished.get(of) ?? 0),
        (of) => this.#finished.get(of) ?? 0,
      ),
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

  #bound(what: string, way: keyof Connection, nowMs: number): void {
    const { maxLyingBytes = MAX_LYING_BYTES, log } = this.#deps;
    const lying = [...this.#open].map(
      ([
        socket,
        {
          [way]: { bytes, sinceMs },
        },
      ]) => ({ socket, bytes, sinceMs }),
    );
    let excessBytes = lying.reduce((sum, { bytes }) => sum + bytes, 0) - maxLyingBytes;
    if (excessBytes <= 0) return;
    const stalled = lying.filter(({ bytes, sinceMs }) => bytes > 0 && nowMs - sinceMs >= STALLED_MS);
    stalled.sort((one, other) => one.sinceMs - other.sinceMs);
    let connections = 0;
    for (const { socket, bytes } of stalled) {
      if (excessBytes <= 0) break;
      excessBytes -= bytes;
      connections += 1;
      socket.destroy();
    }
    if (connections > 0) log.warn(what, { connections });
  }
}
