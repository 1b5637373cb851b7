import type { Hold, HoldStatus } from 'agent-relay-protocol';
import type { Change, NewMessage, Page, StoredMessage } from '../domain/change.ts';
import type { DeliveryRecord } from '../domain/delivery.ts';

export interface HoldQuery {
  readonly workspace: string;
  readonly status?: HoldStatus | undefined;
  readonly from?: string | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

export interface Release {
  readonly hold: Hold;
  readonly message: NewMessage;
  readonly change: Change;
}

/** Messages that the loop guard keeps; `messages.append` makes them. */
export interface HoldStore {
  get(workspace: string, id: number): Promise<Hold | null>;
  /** Newest first; `next` is what `before` takes. */
  list(query: HoldQuery): Promise<Page<Hold>>;
  /** Changes what is decided of a hold; `decide` throws for null itself. */
  change(workspace: string, id: number, decide: (hold: Hold | null) => { readonly hold: Hold; readonly change: Change }): Promise<Hold>;
  /**
   * Appends the held message under the number `messageId`. `decide` throws for null itself; it sees the message that the held one answers
   * and its sender's own copy of that, as `messages.append` does.
   */
  release(
    workspace: string,
    id: number,
    decide: (hold: Hold | null, messageId: number, repliedTo: StoredMessage | null, copy: DeliveryRecord | null) => Release,
  ): Promise<StoredMessage>;
  /** Those still held that were held before `before`, of all workspaces, oldest first. */
  openBefore(before: number, limit: number): Promise<readonly { readonly workspace: string; readonly id: number }[]>;
  /** Deletes what was decided before `before`; answers how many. */
  prune(before: number, limit: number): Promise<number>;
}

/** How many messages of one sender are held at once; more are refused, which the sender learns at once. */
export const MAX_HELD_PER_SENDER = 100;
