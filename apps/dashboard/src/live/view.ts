import type { RelayClient, RelayEvent } from 'agent-relay-client';
import type { RouteName } from 'agent-relay-protocol';
import type { ViewName } from './event-table.ts';

/** Something as the relay answers it: `cursor` says up to where in the log it is true, 0 where the answer does not say. */
export interface Snapshot<Data> {
  readonly data: Data;
  readonly cursor: number;
  /** Of a list: there is more further back. */
  readonly nextCursor?: number | string | undefined;
}

/** What an event makes of a view whose change it does not carry. */
export const READ_AGAIN: unique symbol = Symbol('read again');

/** Something that a page shows of the relay: how it is read, and what the log makes of it from then on. */
export interface View<Data> {
  /** Says which events it is given, see `event-table.ts`. */
  readonly name: ViewName;
  /** Which one of that name. */
  readonly id?: string | number;
  /** What it is read by: who may not call that is not shown it. */
  readonly route: RouteName;
  read(relay: RelayClient): Promise<Snapshot<Data>>;
  /** What an event makes of it; the same object where it is about something else. Applying an event twice leaves what applying it once made. */
  apply(data: Data, event: RelayEvent): Data | typeof READ_AGAIN;
}

/** A list. With `older` a person may read further back than what it begins with. */
export interface ListView<Item> extends View<readonly Item[]> {
  readonly older?: {
    /** Where the oldest that is known stands. */
    readonly oldest: 'first' | 'last';
    read(relay: RelayClient, known: readonly Item[]): Promise<{ readonly data: readonly Item[]; readonly isEnd: boolean }>;
    merge(known: readonly Item[], more: readonly Item[]): readonly Item[];
  };
}

/** Under what a view is kept. */
export const keyOfView = ({ name, id = '' }: Pick<View<unknown>, 'name' | 'id'>): string => `${name}/${id}`;
