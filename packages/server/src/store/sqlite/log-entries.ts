import type { RelayEvent } from 'agent-relay-protocol';
import type { StoredMessage } from '../../domain/change.ts';
import type { LogEntry } from '../store.ts';
import { bodiesOf, expandEvents } from './log-expand.ts';
import { type MessageRow, toStoredMessage } from './message-rows.ts';

export interface EventRow {
  readonly seq: number;
  readonly count: number;
  readonly workspace: string;
  readonly at: number;
  readonly type: string;
  readonly body: string;
}

export const entryOfMessage = (row: MessageRow): MessageEntry =>
  new MessageEntry(toStoredMessage(row), row.body.length + (row.extra?.length ?? 0));

export const entryOfEvent = (row: EventRow): EventEntry => new EventEntry(row, bodiesOf(row.count, row.body), row.body.length);

/** A message, which is its own entry. */
export class MessageEntry implements LogEntry {
  readonly stored: StoredMessage;
  readonly characters: number;

  constructor(stored: StoredMessage, characters: number) {
    this.stored = stored;
    this.characters = characters;
  }

  get first(): number {
    return this.stored.message.id;
  }

  get last(): number {
    return this.stored.message.id;
  }

  get workspace(): string {
    return this.stored.workspace;
  }

  events(): readonly RelayEvent[] {
    const { message, matched } = this.stored;
    return [{ type: 'message.new', seq: message.id, at: message.createdAt, message, matched }];
  }
}

/** A row of `events`, with one event or several of a kind. */
export class EventEntry implements LogEntry {
  readonly stored = null;
  readonly first: number;
  readonly last: number;
  readonly workspace: string;
  readonly characters: number;
  readonly #at: number;
  readonly #type: string;
  readonly #bodies: readonly object[];
  #expanded: readonly RelayEvent[] | undefined;

  constructor({ seq, count, workspace, at, type }: Omit<EventRow, 'body'>, bodies: readonly object[], characters: number) {
    this.first = seq - count + 1;
    this.last = seq;
    this.workspace = workspace;
    this.characters = characters;
    this.#at = at;
    this.#type = type;
    this.#bodies = bodies;
  }

  events(): readonly RelayEvent[] {
    this.#expanded ??= expandEvents(this.#type, this.first, this.#at, this.#bodies);
    return this.#expanded;
  }
}
