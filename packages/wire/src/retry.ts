import { RelayError } from 'agent-relay-protocol';
import { type BackoffOptions, backoffDelays, sleep } from './time.ts';

/** Whether the same request may succeed later: the table of error codes says so. Anything but a `RelayError` may not. */
export const isRetryable = (error: unknown): error is RelayError => error instanceof RelayError && error.retryable;

export interface RetryOptions extends BackoffOptions {
  /** Gives up with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Asks at most this often and then gives up with the last failure. Default: no limit, the delays are what keeps it from being too much. */
  readonly maxAttempts?: number;
  /** Told of each failure that is waited out. */
  readonly onRetry?: (error: RelayError) => void;
}

/**
 * Asks until there is an answer; for what may be asked twice. Rejects at once with what no repetition mends, and with the signal's reason when it
 * has aborted before `ask` is called or when it fails.
 */
export async function retryWhileRetryable<Answer>(ask: () => Promise<Answer>, options: RetryOptions = {}): Promise<Answer> {
  const { signal, maxAttempts = Number.POSITIVE_INFINITY, onRetry, ...backoff } = options;
  const delays = backoffDelays(backoff);
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isRetryable(error) || attempt >= maxAttempts) throw error;
      onRetry?.(error);
      await sleep(delays.next().value, { signal });
    }
  }
}
