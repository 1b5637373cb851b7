import type { Database, Statement } from 'better-sqlite3';
import type { AgentIndex } from '../agent-index.ts';

interface Waiting {
  /**
   * In the order of the log, because that is the order of sending. The value says since when a copy is queued that nothing has happened to:
   * positive while it has no row, negative when it has one; 0 when its row alone knows.
   */
  readonly inOrder: Map<number, number>;
  /** Opened after later ones: fan-out copies, which get a row only when somebody is handed them. */
  readonly strays: Set<number>;
}

const none: readonly number[] = [];

/**
 * How far back in the log a direct message may be without a row for its recipient's copy: so much is looked through at the start. Most
 * copies are confirmed long before, and then one row is written for them instead of one row twice.
 */
const UNWRITTEN_SPAN = 65_536;
/** How many messages one commit looks at to move on: more than it brings, so that it keeps up. */
const LOOKED_AT_ONCE = 2_048;
/** How far the floor moves before it is noted. */
const FLOOR_STEP = 8_192;
/**
 * Which copies wait, by recipient, in memory. An index on disk in this order would touch a page a recipient in every commit; the one on disk
 * is in the order of the log, and this is made from it at the start.
 *
 * The copy of a direct message is queued from the moment the message is there, whether or not it has a row. Above the floor a missing row
 * means queued; at and below it every open copy has one.
 */
export class OpenMail {
  readonly #database: Database;
  readonly #index: Pick<AgentIndex, 'in'>;
  readonly #insert: Statement<[number, number, number]>;
  readonly #setFloor: Statement<[number]>;
  readonly #byRef = new Map<number, Waiting>();
  /** Direct messages above the floor and their recipients, in the order of the log; those before `#first` are done with. */
  #ids: number[] = [];
  #refs: number[] = [];
  #first = 0;
  #floor = 0;

  constructor(database: Database, index: Pick<AgentIndex, 'in'>) {
    this.#database = database;
    this.#index = index;
    this.#insert = database.prepare('INSERT INTO deliveries (message_id, ref, state, updated_at) VALUES (?, ?, 0, ?)');
    this.#setFloor = database.prepare(
      "INSERT INTO meta (key, value) VALUES ('unwritten_after', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
    this.reload();
  }

  /** How many copies wait for the agents of these references. */
  count(isCounted: (ref: number) => boolean): number {
    let count = 0;
    for (const [ref, { inOrder, strays }] of this.#byRef) if (isCounted(ref)) count += inOrder.size + strays.size;
    return count;
  }

  /** Whether a copy waits without a row that old. */
  hasUnwrittenThrough(messageId: number): boolean {
    for (let place = this.#first; (this.#ids[place] ?? Number.POSITIVE_INFINITY) <= messageId; place += 1) {
      if (this.isUnwritten(this.#refs[place] ?? 0, this.#ids[place] ?? 0)) return true;
    }
    return false;
  }

  /** Makes it anew from what is committed. */
  reload(): void {
    const floor = this.#database.prepare<[], number>("SELECT value FROM meta WHERE key = 'unwritten_after'").pluck().get() ?? 0;
    const rows = this.#database
      .prepare<[], { id: number; ref: number }>('SELECT message_id AS id, ref FROM deliveries WHERE state <= 2 ORDER BY message_id')
      .all();
    const unwritten = this.#database
      .prepare<[number], { id: number; workspace: string; address: string; at: number }>(
        `SELECT id, workspace, address, created_at AS at FROM messages m
         WHERE id > ? AND fan_out = 0 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = m.id) ORDER BY id`,
      )
      .all(floor);
    // Only now: a read that fails leaves it as it was.
    this.#byRef.clear();
    this.#ids = [];
    this.#refs = [];
    this.#first = 0;
    this.#floor = floor;
    const open = rows.map(({ id, ref }) => ({ id, ref, at: 0 }));
    for (const { id, workspace, address, at } of unwritten) {
      const entry = this.#index.in(workspace).find(address.slice(3));
      if (!entry) continue;
      open.push({ id, ref: entry.ref, at });
      this.#follow(entry.ref, id);
    }
    open.sort((one, other) => one.id - other.id);
    for (const { id, ref, at } of open) this.#of(ref).inOrder.set(id, at);
  }

  /** The copy of a direct message that is the newest of the log waits since `at`. */
  opened(ref: number, messageId: number, at: number): void {
    this.#of(ref).inOrder.set(messageId, Math.max(at, 1));
    this.#follow(ref, messageId);
  }

  /** Whether a copy waits that has no row. */
  isUnwritten(ref: number, messageId: number): boolean {
    return (this.#byRef.get(ref)?.inOrder.get(messageId) ?? 0) > 0;
  }

  /** Writes rows for copies that have waited without one for too long, and notes the floor. Inside a write, at its end. */
  writeOldest(last: number): void {
    const end = Math.min(this.#ids.length, this.#first + LOOKED_AT_ONCE);
    for (; this.#first < end; this.#first += 1) {
      const id = this.#ids[this.#first] ?? 0;
      const ref = this.#refs[this.#first] ?? 0;
      if (!this.isUnwritten(ref, id)) continue;
      if (id > last - UNWRITTEN_SPAN) break;
      const since = this.queuedSince(ref, id);
      this.#insert.run(id, ref, since);
      this.#of(ref).inOrder.set(id, -since);
    }
    const floor = (this.#ids[this.#first] ?? last + 1) - 1;
    if (floor - this.#floor < FLOOR_STEP) return;
    this.#floor = floor;
    this.#setFloor.run(floor);
    this.#ids = this.#ids.slice(this.#first);
    this.#refs = this.#refs.slice(this.#first);
    this.#first = 0;
  }

  /** Since when a copy is queued, if nothing has happened to it and memory knows; else 0. Saves asking the database. */
  queuedSince(ref: number, messageId: number): number {
    return Math.abs(this.#byRef.get(ref)?.inOrder.get(messageId) ?? 0);
  }

  /** A copy of an older message waits, or goes on waiting. */
  reopened(ref: number, messageId: number): void {
    const waiting = this.#of(ref);
    if (waiting.inOrder.has(messageId)) waiting.inOrder.set(messageId, 0);
    else waiting.strays.add(messageId);
  }

  closed(ref: number, messageId: number): void {
    const waiting = this.#byRef.get(ref);
    if (!waiting) return;
    waiting.inOrder.delete(messageId);
    waiting.strays.delete(messageId);
    if (waiting.inOrder.size === 0 && waiting.strays.size === 0) this.#byRef.delete(ref);
  }

  /** At most `limit` ids after `after`, in order. */
  after(ref: number, after: number, limit: number): readonly number[] {
    const waiting = this.#byRef.get(ref);
    if (!waiting) return none;
    const found: number[] = [];
    for (const id of waiting.inOrder.keys()) {
      if (id > after && found.push(id) === limit) break;
    }
    if (waiting.strays.size === 0) return found;
    for (const id of waiting.strays) if (id > after) found.push(id);
    return found.sort((one, other) => one - other).slice(0, limit);
  }

  #follow(ref: number, messageId: number): void {
    this.#ids.push(messageId);
    this.#refs.push(ref);
  }

  #of(ref: number): Waiting {
    let waiting = this.#byRef.get(ref);
    if (!waiting) {
      waiting = { inOrder: new Map(), strays: new Set() };
      this.#byRef.set(ref, waiting);
    }
    return waiting;
  }
}
