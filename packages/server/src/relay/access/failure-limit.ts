import { RelayError } from 'agent-relay-protocol';

/** Counts wrong guesses: beyond so many in a minute they are answered as too many. Whoever knows the right one is never kept out by them. */
export class FailureLimit {
  readonly #perMinute: number;
  readonly #elapsedMs: () => number;
  #windowStart = Number.NEGATIVE_INFINITY;
  #failures = 0;

  /** `elapsedMs`: of a clock that nobody sets. */
  constructor({ perMinute, elapsedMs }: { readonly perMinute: number; readonly elapsedMs: () => number }) {
    this.#perMinute = perMinute;
    this.#elapsedMs = elapsedMs;
  }

  /** Counts one more, and answers what it is told: `refusal`, or `rate_limited`. */
  fail(refusal: RelayError): RelayError {
    const now = this.#elapsedMs();
    if (now - this.#windowStart >= 60_000) {
      this.#windowStart = now;
      this.#failures = 0;
    }
    this.#failures += 1;
    if (this.#failures <= this.#perMinute) return refusal;
    const retryAfterMs = Math.ceil(this.#windowStart + 60_000 - now);
    return new RelayError('rate_limited', 'Too many wrong codes; wait a minute', { details: { retryAfterMs } });
  }
}
