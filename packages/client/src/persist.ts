import { retryWhileRetryable } from 'agent-relay-wire';

/** Asks until the relay answers, for what may be asked twice. Rejects with what no repetition mends, or when `signal` aborts. */
export const persist = <Answer>(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> =>
  retryWhileRetryable(ask, { initialMs: 100, maxMs: 5_000, signal });
