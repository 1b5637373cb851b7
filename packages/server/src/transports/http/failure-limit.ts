import { RelayError } from 'agent-relay-protocol';

/** Slows guessing down: after so many failures in a minute nobody may try until the minute is over. */
export class FailureLimit {
  readonly #perMinute: number;
  readonly #now: () => number;
  #windowStart = 0;
  #failures = 0;

  constructor({ perMinute, now }: { readonly perMinute: number; readonly now: () => number }) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** @throws RelayError `rate_limited`. */
  check(): void {
    const retryAfterMs = this.#windowStart + 60_000 - this.#now();
    if (retryAfterMs <= 0 || this.#failures < this.#perMinute) return;
    throw new RelayError('rate_limited', 'Too many wrong codes; wait a minute', { details: { retryAfterMs } });
  }

  count(): void {
    if (this.#now() - this.#windowStart >= 60_000) {
      this.#windowStart = this.#now();
      this.#failures = 0;
    }
    this.#failures += 1;
  }
}
