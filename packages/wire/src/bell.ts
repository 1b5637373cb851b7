export interface BellOptions {
  /** Ends the wait as a ring does: look at the signal afterwards. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Wakes whoever waits for something to have changed. It carries nothing and holds nothing, so it is never full: any number of rings before a
 * waiter has looked are one. A waiter is woken, looks for itself, and waits again. Where looking takes a while, read `rings` first and wait with
 * `after`, so that what changed meanwhile is not slept through.
 */
export class Bell {
  readonly #waiting = new Set<() => void>();
  #rings = 0;

  /** How often it has rung. */
  get rings(): number {
    return this.#rings;
  }

  ring(): void {
    this.#rings += 1;
    for (const wake of this.#waiting) wake();
  }

  /** Resolves at the next ring, or when the signal aborts, before this call or after it. Never rejects. */
  next({ signal }: BellOptions = {}): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** As `next`, but resolves at once when it has rung since `rings` said `seen`. */
  after(seen: number, options: BellOptions = {}): Promise<void> {
    return this.#rings === seen ? this.next(options) : Promise.resolve();
  }
}
