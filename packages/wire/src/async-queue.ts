import { RelayError } from 'agent-relay-protocol';

/**
 * What a full queue does with the next item:
 * - `error`: fails the queue with `overloaded` (what is buffered is still read first);
 * - `reject`: refuses the item, `push` returns `false`;
 * - `drop-oldest`: makes room from the front and counts it in `dropped`;
 * - `backpressure`: takes it and calls `onFull`, for sources that can be paused; the bound is the limit plus what the source had in hand.
 */
export type OverflowRule = 'error' | 'reject' | 'drop-oldest' | 'backpressure';

export interface AsyncQueueOptions {
  /** In items, or in the weights given to `push`. A single item heavier than the limit fits into an empty queue. */
  readonly limit: number;
  readonly overflow: OverflowRule;
  /** `backpressure` only: the limit is reached; called once until `onRoom`. */
  readonly onFull?: () => void;
  /** After `onFull`: the reader has brought the queue down to half of its limit. */
  readonly onRoom?: () => void;
  /** The reader left its loop early. */
  readonly onReturn?: () => void;
}

export interface NextOptions {
  readonly signal?: AbortSignal;
}

interface Entry<T> {
  readonly item: T;
  readonly weight: number;
}

interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A bounded queue between a callback that pushes and a loop that reads.
 *
 * States: *open*; *ended* by `end`, `fail` or the reader leaving. Buffered items are still read after `end` and `fail`; leaving
 * the loop throws them away. Unlike an async generator, a reader that waits is released by `return()`, `end()` and its signal.
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T, undefined, NextOptions | undefined> {
  readonly #options: AsyncQueueOptions;
  #entries: (Entry<T> | undefined)[] = [];
  #head = 0;
  #weight = 0;
  #dropped = 0;
  #isFull = false;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;
  readonly #waiters: Waiter<T>[] = [];

  constructor(options: AsyncQueueOptions) {
    if (!(options.limit > 0)) throw new RangeError('A queue needs a limit above zero');
    this.#options = options;
  }

  /** Items waiting to be read. */
  get size(): number {
    return this.#entries.length - this.#head;
  }

  /** What the waiting items weigh together; equal to `size` when `push` was given no weights. */
  get weight(): number {
    return this.#weight;
  }

  /** How many items `drop-oldest` has thrown away. */
  get dropped(): number {
    return this.#dropped;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether the item was taken; `false` after the end, and when the overflow rule refuses it. */
  push(item: T, weight = 1): boolean {
    if (this.#isEnded) return false;
    const waiter = this.#waiters.shift();
    if (waiter) {
      waiter.resolve({ done: false, value: item });
      return true;
    }
    if (this.size > 0 && this.#weight + weight > this.#options.limit && !this.#makeRoom(weight)) return false;
    this.#entries.push({ item, weight });
    this.#weight += weight;
    if (this.#options.overflow === 'backpressure' && !this.#isFull && this.#weight >= this.#options.limit) {
      this.#isFull = true;
      this.#options.onFull?.();
    }
    return true;
  }

  /** No more items; the reader's loop ends after what is buffered. Idempotent. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve({ done: true, value: undefined });
  }

  /** As `end`, but the reader's loop throws `error` after what is buffered, once. */
  fail(error: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const [first, ...others] = this.#waiters.splice(0);
    if (first) first.reject(error);
    else this.#failure = { error };
    for (const waiter of others) waiter.resolve({ done: true, value: undefined });
  }

  /** Takes an item that is there already, without waiting. */
  take(): T | undefined {
    return this.#shift()?.item;
  }

  /** Rejects with the signal's reason when it aborts first; the item then stays for the next reader. */
  next(options?: NextOptions): Promise<IteratorResult<T, undefined>> {
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const entry = this.#shift();
    if (entry) return Promise.resolve({ done: false, value: entry.item });
    if (this.#failure) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined });
    return signal ? this.#waitUnder(signal) : new Promise((resolve, reject) => void this.#waiters.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    const wasReading = !this.#isEnded;
    this.#entries = [];
    this.#head = 0;
    this.#weight = 0;
    this.#failure = undefined;
    this.end();
    if (wasReading) this.#options.onReturn?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #waitUnder(signal: AbortSignal): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = {
        resolve: (result) => {
          signal.removeEventListener('abort', onAbort);
          resolve(result);
        },
        reject: (error) => {
          signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      const onAbort = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  #makeRoom(weight: number): boolean {
    switch (this.#options.overflow) {
      case 'backpressure':
        return true;
      case 'reject':
        return false;
      case 'error':
        this.fail(new RelayError('overloaded', 'A reader fell too far behind', { details: { limit: this.#options.limit } }));
        return false;
      case 'drop-oldest':
        while (this.size > 0 && this.#weight + weight > this.#options.limit) {
          this.#shift();
          this.#dropped += 1;
        }
        return true;
    }
  }

  #shift(): Entry<T> | undefined {
    const entry = this.#entries[this.#head];
    if (!entry) return undefined;
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    this.#weight -= entry.weight;
    // Moving the front is paid for once per many reads: `Array.shift` on a long queue costs its whole length each time.
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    if (this.#isFull && this.#weight <= this.#options.limit / 2) {
      this.#isFull = false;
      this.#options.onRoom?.();
    }
    return entry;
  }
}
