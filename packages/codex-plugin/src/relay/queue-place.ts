import { Bell, type BellOptions } from 'agent-relay-wire';

export interface QueuePlaceOptions {
  /** How long nothing may run while a message still waits, until it is looked for. Default 10 000. */
  readonly goneAfterMs?: number | undefined;
}

export interface QueuedMail {
  readonly clientId: string;
  readonly threadId: string;
  idleSince: number | null;
}

/**
 * The one place that mail has in Codex's queue. A Codex that is killed while it takes a message out of there has lost that one and keeps the rest,
 * which would come before it when it goes again: nothing of ours waits behind another.
 *
 * States: *free*; *taken* from `take` until the message has left the queue, or its server died.
 */
export class QueuePlace {
  readonly #goneAfterMs: number;
  readonly #news = new Bell();
  #waiting: QueuedMail | undefined;

  constructor({ goneAfterMs = 10_000 }: QueuePlaceOptions = {}) {
    this.#goneAfterMs = goneAfterMs;
  }

  /** How often it has become free. */
  get freed(): number {
    return this.#news.rings;
  }

  /** Resolves once it has become free since `freed` said `seen`, or when the signal aborts. */
  freedSince(seen: number, options: BellOptions): Promise<void> {
    return this.#news.after(seen, options);
  }

  /** What waits in another conversation keeps nothing from this one. */
  isTaken(threadId: string): boolean {
    return this.#waiting?.threadId === threadId;
  }

  isWaiting(clientId: string): boolean {
    return this.#waiting?.clientId === clientId;
  }

  take(clientId: string, threadId: string): void {
    this.#waiting = { clientId, threadId, idleSince: null };
  }

  left(clientId: string): void {
    if (this.isWaiting(clientId)) this.free();
  }

  free(): void {
    this.#waiting = undefined;
    this.#news.ring();
  }

  /** What still waits although nothing has run for long, once each time: Codex says nothing where somebody took it out, and its word may be missed. */
  overdue(isBusy: boolean, now = performance.now()): QueuedMail | undefined {
    const waiting = this.#waiting;
    if (!waiting) return undefined;
    waiting.idleSince = isBusy ? null : (waiting.idleSince ?? now);
    if (waiting.idleSince === null || now - waiting.idleSince < this.#goneAfterMs) return undefined;
    waiting.idleSince = now;
    return waiting;
  }
}
