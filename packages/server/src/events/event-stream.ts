import type { EventReset, RelayEvent } from 'agent-relay-protocol';

export type EventBatch = { readonly events: readonly RelayEvent[] } | { readonly reset: EventReset };

/** A subscription that the transport pulls: nothing is buffered for a reader that does not pull, it is paged from the log when it comes back. */
export interface EventStream {
  /** The log position the stream starts after, and the generation it belongs to. */
  readonly cursor: number;
  readonly generation: string;
  /** Batches in order, never empty; a `reset` is the last. Ends when the signal it was opened with aborts. */
  readonly batches: AsyncIterable<EventBatch>;
}
