import { RelayError } from 'agent-relay-protocol';
import { backoffDelays, sleep } from 'agent-relay-wire';
import type { Log } from './logger.ts';

/** Asks the relay until it answers. @throws what will not pass by waiting, or the signal's reason. */
export async function retrying<Answer>(
  ask: () => Promise<Answer>,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<Answer> {
  const delays = backoffDelays();
  for (;;) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RelayError && error.retryable)) throw error;
      log.warn('the relay cannot be reached, trying again', { error });
      await sleep(delays.next().value, { signal });
    }
  }
}
