import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Logger } from '../logger.ts';

/** So many bytes may lie unsent for all clients together, before those who take nothing are ended. */
export const MAX_UNSENT_BYTES = 64 * 1024 * 1024;
/** Whoever took something within this time is not ended: much may be under way to many at once. */
const STALLED_MS = 1_000;
const LOOK_EVERY_MS = 250;

/** What is known of a client that has not taken everything. */
interface Owed {
  sentBytes: number;
  sinceMs: number;
}

interface OpenConnectionsDeps {
  readonly log: Logger;
  readonly maxUnsentBytes?: number | undefined;
  readonly elapsedMs: () => number;
}

/**
 * The connections of a server. What all of them together leave lying has a bound: above it those end that have taken nothing for longest, and a
 * follower of the log goes on from its cursor when it comes back.
 */
export class OpenConnections {
  readonly #deps: OpenConnectionsDeps;
  readonly #open = new Set<Socket>();
  readonly #owed = new Map<Socket, Owed>();
  readonly #timer: NodeJS.Timeout;

  constructor(server: Pick<EventEmitter, 'on'>, deps: OpenConnectionsDeps) {
    this.#deps = deps;
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        this.#owed.delete(socket);
      });
    });
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Those that clients opened ahead of time and sent nothing on: Node never counts them as idle. */
  closeSilent(): void {
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = this.#deps.elapsedMs();
    let unsentBytes = 0;
    for (const socket of this.#open) {
      unsentBytes += socket.writableLength;
      this.#note(socket, nowMs);
    }
    const { maxUnsentBytes = MAX_UNSENT_BYTES } = this.#deps;
    if (unsentBytes > maxUnsentBytes) this.#end(unsentBytes - maxUnsentBytes, nowMs);
  }

  #note(socket: Socket, nowMs: number): void {
    if (socket.writableLength === 0) {
      this.#owed.delete(socket);
      return;
    }
    const sentBytes = socket.bytesWritten - socket.writableLength;
    const owed = this.#owed.get(socket);
    if (!owed) this.#owed.set(socket, { sentBytes, sinceMs: nowMs });
    else if (owed.sentBytes !== sentBytes) Object.assign(owed, { sentBytes, sinceMs: nowMs });
  }

  #end(excessBytes: number, nowMs: number): void {
    const stalled = [...this.#owed].filter(([, { sinceMs }]) => nowMs - sinceMs >= STALLED_MS);
    stalled.sort(([, one], [, other]) => one.sinceMs - other.sinceMs);
    let endedBytes = 0;
    let ended = 0;
    for (const [socket] of stalled) {
      if (endedBytes >= excessBytes) break;
      endedBytes += socket.writableLength;
      ended += 1;
      socket.destroy();
    }
    if (ended > 0) this.#deps.log.warn('connections that take nothing were ended', { connections: ended, unsentBytes: endedBytes });
  }
}
