import { AsyncQueue } from './async-queue.ts';
import { type MalformedListener, malformedTextLimit } from './message-duplex.ts';

export interface IncomingMessagesOptions {
  /** How much may wait unread before the transport is asked to pause. */
  readonly highWaterBytes: number;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly onMalformed?: MalformedListener | undefined;
  /** The reader left its loop over `incoming`. */
  readonly onReturn?: () => void;
}

/**
 * The receiving half every duplex shares: buffers until somebody reads, then serves either a loop or a listener.
 *
 * States: *buffering* until the first reader; *iterating* or *listening* for good after it; *ended*. A listener that holds is handed nothing
 * until it releases, also beyond the end.
 */
export class IncomingMessages<In> {
  readonly #options: IncomingMessagesOptions;
  readonly #queue: AsyncQueue<In>;
  #isRead = false;
  #listener: ((message: In) => void) | undefined;
  #onMalformed: MalformedListener | undefined;
  #whenDrained: (() => void) | undefined;
  #isHeld = false;

  readonly iterable: AsyncIterable<In>;

  constructor(options: IncomingMessagesOptions) {
    this.#options = options;
    this.#queue = new AsyncQueue<In>({
      limit: options.highWaterBytes,
      overflow: 'backpressure',
      onFull: options.pause,
      onRoom: options.resume,
      onReturn: () => options.onReturn?.(),
    });
    this.iterable = {
      [Symbol.asyncIterator]: () => {
        this.#claim();
        return this.#queue;
      },
    };
  }

  get waitingBytes(): number {
    return this.#queue.weight;
  }

  deliver(message: In, sizeBytes: number): void {
    if (this.#listener && !this.#whenDrained && !this.#isHeld && this.#queue.size === 0) this.#listener(message);
    // Every message has some weight, or a flood of tiny ones would never fill the queue.
    else this.#queue.push(message, sizeBytes + 64);
  }

  reportMalformed(text: string, error: Error): void {
    const cut = text.length > malformedTextLimit ? text.slice(0, malformedTextLimit) : text;
    this.#options.onMalformed?.(cut, error);
    this.#onMalformed?.(cut, error);
  }

  listen(listener: (message: In) => void, onMalformed: MalformedListener | undefined): void {
    this.#claim();
    this.#onMalformed = onMalformed;
    this.#listener = listener;
    this.#whenDrained = () => {};
    // Not inside this call: the caller is often a constructor whose object does not exist yet.
    queueMicrotask(() => this.#handOver());
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#handOver();
  }

  /** Calls `then` when a listener has everything that came before the end; at once when nothing is left to hand over. */
  end(then: () => void, error?: unknown): void {
    if (error === undefined) this.#queue.end();
    else this.#queue.fail(error);
    const isOwed = this.#whenDrained !== undefined || (this.#listener !== undefined && this.#queue.size > 0);
    if (isOwed) this.#whenDrained = then;
    else then();
  }

  #handOver(): void {
    const listener = this.#listener;
    while (listener && !this.#isHeld) {
      const message = this.#queue.take();
      if (message === undefined) break;
      listener(message);
    }
    if (this.#isHeld || this.#queue.size > 0) return;
    const whenDrained = this.#whenDrained;
    this.#whenDrained = undefined;
    whenDrained?.();
  }

  #claim(): void {
    if (this.#isRead) throw new TypeError('This duplex has a reader already: iterate `incoming` or listen with `onMessage`, once');
    this.#isRead = true;
  }
}
