import type { RelayEvent } from 'agent-relay-protocol';

/** A send that was acknowledged: the relay answered with an id. */
export interface AcknowledgedSend {
  readonly key: string;
  readonly id: number;
  readonly body: string;
}

/** A hand-over of mail to its deliverer, and what followed. In order of happening. */
export type InboxStep = { readonly step: 'received' | 'acknowledged'; readonly id: number };

/** A completion that the relay accepted. */
export interface AcceptedCompletion {
  readonly subjectId: number;
  readonly fence: number;
  readonly racer: string;
}

/** What the clients saw, each for itself. Nothing in it comes from the server's own tables. */
export interface Histories {
  readonly sends: readonly AcknowledgedSend[];
  readonly inboxes: ReadonlyMap<string, readonly InboxStep[]>;
  readonly completions: readonly AcceptedCompletion[];
  /** The events each resuming reader was given, in the order it got them, from sequence `from` on. */
  readonly readers: ReadonlyMap<string, { readonly from: number; readonly events: readonly RelayEvent[] }>;
  /** The whole log, read once from its beginning after the last crash. */
  readonly log: readonly RelayEvent[];
}
