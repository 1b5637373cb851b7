import { randomUUID } from 'node:crypto';
import type { DeliveryEvidence, DeliveryState } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import type { NewEvent, StoredMessage } from '../../domain/change.ts';
import type { LogEntry, LogPage, LogStore, SkippedNumbers } from '../store.ts';
import { EventEntry, type EventRow, entryOfEvent, entryOfMessage, MessageEntry } from './log-entries.ts';
import { type MessageRow, messageColumns } from './message-rows.ts';
import { numberingOf } from './numbering.ts';

/** A receipt in the log: all of one kind that one turn brought share a row. */
export interface DeliveryTelling {
  readonly messageId: number;
  readonly agentId: string;
  readonly from: string;
  readonly state: DeliveryState;
  readonly evidence: DeliveryEvidence | null;
  readonly late: boolean;
  readonly reason: string | null;
  readonly count?: number;
}

/** What one row of events will say. */
interface Telling {
  readonly workspace: string;
  readonly at: number;
  readonly type: string;
  readonly bodies: readonly object[];
}

interface Gathered extends Telling {
  readonly type: `delivery.${DeliveryState}`;
  readonly bodies: DeliveryTelling[];
}

/** How much of the log's end is kept in memory, so that readers who keep up cost no query. */
const RECENT_ENTRIES = 4096;
const RECENT_CHARACTERS = 8 * 1024 * 1024;

/**
 * Counts the one sequence and keeps the log: messages are their own entries, everything else is a row of `events`.
 * `next` and the appenders run inside a write; `committed` and `rolledBack` are called by the writer's hooks.
 */
export class SqliteLog implements LogStore {
  readonly generation: string;
  readonly skipped: readonly SkippedNumbers[];
  /** Committed since the store was opened. */
  messages = 0;
  readonly #insert: Statement<[number, number, string, number, string, string]>;
  readonly #messagesAfter: Statement<[number, number], MessageRow>;
  readonly #eventsAfter: Statement<[number, number], EventRow>;
  readonly #listeners = new Set<() => void>();
  #head: number;
  #floor: number;
  #last: number;
  #gathered: Gathered[] = [];
  #uncommitted: LogEntry[] = [];
  /** A message was changed in the running turn. */
  #isStale = false;
  #recent: LogEntry[] = [];
  #recentCharacters = 0;
  readonly #recentMessages = new Map<number, StoredMessage>();

  constructor(database: Database, reader: Database) {
    database
      .prepare("INSERT INTO meta (key, value) VALUES ('generation', ?), ('pruned_through', 0) ON CONFLICT DO NOTHING")
      .run(randomUUID());
    const { generation, head, floor, skipped } = numberingOf(database);
    this.generation = generation;
    this.skipped = skipped;
    this.#floor = floor;
    this.#head = head;
    this.#last = head;
    this.#insert = database.prepare('INSERT INTO events (seq, count, workspace, at, type, body) VALUES (?, ?, ?, ?, ?, ?)');
    this.#messagesAfter = reader.prepare(`SELECT ${messageColumns} FROM messages WHERE id > ? ORDER BY id LIMIT ?`);
    this.#eventsAfter = reader.prepare('SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?');
  }

  get head(): number {
    return this.#head;
  }

  get floor(): number {
    return this.#floor;
  }

  get rememberedAfter(): number {
    const [oldest] = this.#recent;
    return oldest ? oldest.first - 1 : this.#head;
  }

  /** The last number given out in the running write. */
  get last(): number {
    return this.#last;
  }

  /** The next number. A write that is rolled back gives its numbers back: nobody has seen them. */
  next(): number {
    this.#last += 1;
    return this.#last;
  }

  append(workspace: string, event: NewEvent): number {
    const seq = this.next();
    const { type, at, ...body } = event;
    this.#write(seq, { workspace, at, type, bodies: [body] }, JSON.stringify(body));
    return seq;
  }

  /** Notes a receipt; equal ones that follow each other in a turn become one row with a number each, just before the commit. */
  tellDelivery(workspace: string, at: number, telling: DeliveryTelling): void {
    const type = `delivery.${telling.state}` as const;
    const last = this.#gathered.at(-1);
    if (last && last.type === type && last.at === at && last.workspace === workspace) last.bodies.push(telling);
    else this.#gathered.push({ workspace, at, type, bodies: [telling] });
  }

  /** Notes a message that has been inserted under its number, and how much text it is. */
  noteMessage(stored: StoredMessage, characters: number): void {
    this.#uncommitted.push(new MessageEntry(stored, characters));
  }

  /** A message of the log's recent end, if it is still there. */
  recentMessage(id: number): StoredMessage | undefined {
    return this.#recentMessages.get(id);
  }

  /** The content of a message has changed: what memory holds of it is stale. */
  forgetMessage(): void {
    this.#isStale = true;
    this.#forget();
  }

  #forget(): void {
    this.#recent = [];
    this.#recentCharacters = 0;
    this.#recentMessages.clear();
  }

  raiseFloor(floor: number): void {
    this.#floor = Math.max(this.#floor, floor);
  }

  beforeCommit(): void {
    for (const { workspace, at, type, bodies } of this.#gathered) {
      this.#last += bodies.length;
      this.#write(this.#last, { workspace, at, type, bodies }, JSON.stringify(bodies.length === 1 ? bodies[0] : bodies));
    }
    this.#gathered = [];
  }

  committed(): void {
    for (const entry of this.#uncommitted) {
      if (entry.stored) this.messages += 1;
      this.#remember(entry);
    }
    this.#uncommitted = [];
    // What was sent in the same turn has been remembered as it was.
    if (this.#isStale) this.#forget();
    this.#isStale = false;
    if (this.#last === this.#head) return;
    this.#head = this.#last;
    for (const listener of this.#listeners) listener();
  }

  rolledBack(): void {
    this.#last = this.#head;
    this.#gathered = [];
    this.#uncommitted = [];
  }

  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async read(after: number, limit: number, maxCharacters = Number.POSITIVE_INFINITY): Promise<LogPage> {
    if (after >= this.#head) return { entries: [], through: this.#head };
    const entries = this.#fromMemory(after) ?? this.#fromDisk(after, limit);
    return pageOf(entries, { limit, maxCharacters, head: this.#head });
  }

  #write(seq: number, { workspace, at, type, bodies }: Telling, text: string): void {
    this.#insert.run(seq, bodies.length, workspace, at, type, text);
    this.#uncommitted.push(new EventEntry({ seq, count: bodies.length, workspace, at, type }, bodies, text.length));
  }

  #fromMemory(after: number): Iterable<LogEntry> | null {
    const oldest = this.#recent[0];
    if (!oldest || oldest.first > after + 1) return null;
    let low = 0;
    let high = this.#recent.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.#recent[middle];
      if (entry && entry.last <= after) low = middle + 1;
      else high = middle;
    }
    return from(this.#recent, low);
  }

  /** Messages and events of the disk in the one order of the log, read row by row: whoever takes a few pays for a few. */
  *#fromDisk(after: number, limit: number): Generator<LogEntry> {
    const messages = this.#messagesAfter.iterate(after, limit);
    const events = this.#eventsAfter.iterate(after, limit);
    try {
      let message = messages.next();
      let event = events.next();
      while (message.done !== true || event.done !== true) {
        if (event.done === true || (message.done !== true && message.value.id < event.value.seq)) {
          yield entryOfMessage(message.value);
          message = messages.next();
        } else {
          yield entryOfEvent(event.value);
          event = events.next();
        }
      }
    } finally {
      // A statement that is not read to its end keeps the connection busy.
      messages.return?.();
      events.return?.();
    }
  }

  #remember(entry: LogEntry): void {
    this.#recent.push(entry);
    this.#recentCharacters += entry.characters;
    if (entry.stored) this.#recentMessages.set(entry.stored.message.id, entry.stored);
    if (this.#recent.length <= RECENT_ENTRIES * 2 && this.#recentCharacters <= RECENT_CHARACTERS) return;
    // Forgetting half at a time keeps the cost of moving the front away from each single entry.
    const forgotten = this.#recent.splice(0, Math.ceil(this.#recent.length / 2));
    for (const { stored, characters } of forgotten) {
      this.#recentCharacters -= characters;
      if (stored) this.#recentMessages.delete(stored.message.id);
    }
  }
}

/** At most `limit` entries, and no more than fit into `maxCharacters` but for the first. */
function pageOf(
  found: Iterable<LogEntry>,
  { limit, maxCharacters, head }: { readonly limit: number; readonly maxCharacters: number; readonly head: number },
): LogPage {
  const entries: LogEntry[] = [];
  let characters = 0;
  for (const entry of found) {
    characters += entry.characters;
    if (entries.length === limit || (entries.length > 0 && characters > maxCharacters)) {
      return { entries, through: entries.at(-1)?.last ?? head };
    }
    entries.push(entry);
  }
  return { entries, through: entries.length < limit ? head : (entries.at(-1)?.last ?? head) };
}

function* from<Item>(items: readonly Item[], start: number): Generator<Item> {
  for (let index = start; index < items.length; index += 1) {
    const item = items[index];
    if (item !== undefined) yield item;
  }
}
