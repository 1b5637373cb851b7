import type { EventReset, RelayEvent } from 'agent-relay-protocol';

/** The events are the taker's own. */
export type EventBatch = { readonly events: RelayEvent[] } | { readonly reset: EventReset };

/** A subscription that the transport pulls: nothing is buffered for a reader that does not pull, it is paged from the log when it comes back. */
export interface EventStream {
  /** The log position the stream starts after, and the generation it belongs to. */
  readonly cursor: number;
  readonly generation: string;
  /** Batches in order, never empty; a `reset` is the last. Ends when the signal it was opened with aborts. */
  readonly batches: AsyncIterable<EventBatch>;
}

/**
 * Once a batch has been handed on. A loop over a stream, and each generator on the way to it, keeps its last batch while it waits for the next: what
 * is in it would be kept by everybody who follows anything.
 */
export function letGo(batch: EventBatch | { readonly entries: unknown[] } | { readonly others: unknown } | { length: number }): void {
  if ('length' in batch) batch.length = 0;
  else if ('entries' in batch) batch.entries.length = 0;
  else if ('events' in batch) batch.events.length = 0;
}
