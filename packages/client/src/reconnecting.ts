import { isRetryable, Pauses } from 'agent-relay-wire';

interface ReconnectingOptions {
  readonly signal: AbortSignal;
  /** The connection was lost, or could not be made. */
  readonly onLost?: () => void;
}

/**
 * One connected stretch after the other, until the signal aborts; throws what no repetition mends. Pauses grow until a stretch says, by
 * `onOpen`, that it is connected.
 */
export async function* reconnecting<Item>(
  stretch: (onOpen: () => void) => AsyncIterable<Item>,
  { signal, onLost }: ReconnectingOptions,
): AsyncGenerator<Item, void, undefined> {
  const pauses = new Pauses();
  while (!signal.aborted) {
    try {
      yield* stretch(() => pauses.reset());
    } catch (error) {
      if (signal.aborted) return;
      if (!isRetryable(error)) throw error;
    }
    if (signal.aborted) return;
    onLost?.();
    await pauses.take({ signal });
  }
}
