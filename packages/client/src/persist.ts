import { RelayError } from 'agent-relay-protocol';
import { backoffDelays, sleep } from 'agent-relay-wire';

/** Asks until the relay answers, for what may be asked twice. Rejects with what no repetition mends, or when `signal` aborts. */
export async function persist<Answer>(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  const delays = backoffDelays({ initialMs: 100, maxMs: 5_000 });
  for (;;) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !(error instanceof RelayError && error.retryable)) throw error;
      await sleep(delays.next().value, { signal });
    }
  }
}
