import type { Database, Statement } from 'better-sqlite3';
import { isInAudience } from '../../domain/audience.ts';
import type { DeliveryFound } from '../../domain/change.ts';
import { type DeliveryRecord, queuedRecord } from '../../domain/delivery.ts';
import type { AddressEntry } from '../../domain/directory.ts';
import { MAX_PAGE_CHARACTERS } from '../../domain/page.ts';
import type { WaitingPage } from '../store.ts';
import { type DeliveryRow, toDeliveryRecord } from './delivery-table.ts';
import { type MessageRow, messageCharacters, messageColumns, toStoredMessage } from './message-rows.ts';
import type { OpenMail } from './open-mail.ts';

/** How many fan-out messages one look passes over: they are everybody's, so most of them may not be this agent's. */
const FAN_OUT_STRETCH = 2_000;

export interface WaitingStretch {
  readonly after: number;
  readonly limit: number;
  readonly head: number;
  readonly only?: 'direct' | undefined;
}

/** What waits for an agent, read over one connection. */
export class WaitingMail {
  readonly #floor: Statement<[number], number>;
  readonly #openMail: OpenMail;
  readonly #message: Statement<[number], MessageRow>;
  readonly #row: Statement<[number, number], DeliveryRow>;
  readonly #fannedOut: Statement<[string, number, number], MessageRow>;
  readonly #hasRow: Statement<[number, number], number>;

  constructor(connection: Database, openMail: OpenMail) {
    this.#openMail = openMail;
    this.#floor = connection.prepare<[number], number>('SELECT inbox_floor FROM addresses WHERE ref = ?').pluck();
    this.#message = connection.prepare(`SELECT ${messageColumns} FROM messages WHERE id = ?`);
    this.#row = connection.prepare('SELECT * FROM deliveries WHERE message_id = ? AND ref = ?');
    this.#fannedOut = connection.prepare(
      `SELECT ${messageColumns} FROM messages WHERE workspace = ? AND fan_out = 1 AND id > ? AND deleted_at IS NULL ORDER BY id LIMIT ?`,
    );
    this.#hasRow = connection.prepare<[number, number], number>('SELECT 1 FROM deliveries WHERE message_id = ? AND ref = ?').pluck();
  }

  list(entry: AddressEntry, { after, limit, head, only }: WaitingStretch): WaitingPage {
    const ids = this.#openMail.after(entry.ref, after, limit);
    const items: DeliveryFound[] = [];
    let directThrough = ids.length < limit ? head : (ids.at(-1) ?? head);
    let characters = 0;
    for (const id of ids) {
      const message = this.#message.get(id);
      const record = this.#recordOf(id, entry.ref);
      if (message && record) items.push({ agentId: entry.agentId, message: toStoredMessage(message).message, record });
      characters += message ? messageCharacters(message) : 0;
      if (characters <= MAX_PAGE_CHARACTERS) continue;
      directThrough = id;
      break;
    }
    const fannedOut = only === 'direct' ? { items: [], through: head } : this.#fannedOutTo(entry, after, limit, head);
    const through = Math.min(fannedOut.through, directThrough);
    const merged = [...items, ...fannedOut.items].filter(({ message }) => message.id <= through);
    merged.sort((one, other) => one.message.id - other.message.id);
    if (merged.length <= limit) return { items: merged, through };
    const page = merged.slice(0, limit);
    return { items: page, through: page.at(-1)?.message.id ?? through };
  }

  #recordOf(messageId: number, ref: number): DeliveryRecord | null {
    const queuedSince = this.#openMail.queuedSince(ref, messageId);
    if (queuedSince > 0) return queuedRecord(queuedSince);
    const row = this.#row.get(messageId, ref);
    return row ? toDeliveryRecord(row) : null;
  }

  #fannedOutTo(entry: AddressEntry, after: number, limit: number, head: number): WaitingPage {
    let earliest = Number.POSITIVE_INFINITY;
    for (const intervals of entry.intervals.values()) earliest = Math.min(earliest, intervals[0]?.fromSeq ?? earliest);
    const begin = Math.max(after, this.#floor.get(entry.ref) ?? 0, earliest - 1);
    if (begin >= head) return { items: [], through: head };
    const items: DeliveryFound[] = [];
    let seen = 0;
    let characters = 0;
    for (const row of this.#fannedOut.iterate(entry.workspace, begin, FAN_OUT_STRETCH)) {
      seen += 1;
      characters += messageCharacters(row);
      const { message } = toStoredMessage(row);
      const isFor = isInAudience(message, entry) && this.#hasRow.get(message.id, entry.ref) !== 1;
      if (isFor) items.push({ agentId: entry.agentId, message, record: queuedRecord(message.createdAt) });
      const isEnough = items.length === limit || seen === FAN_OUT_STRETCH || characters > MAX_PAGE_CHARACTERS;
      if (isEnough) return { items, through: message.id };
    }
    return { items, through: head };
  }
}
