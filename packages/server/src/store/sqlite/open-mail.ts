import type { Database } from 'better-sqlite3';

interface Waiting {
  /** In the order of the log, because that is the order of sending; with the time since when a copy is queued that nothing happened to, else 0. */
  readonly inOrder: Map<number, number>;
  /** Opened after later ones: fan-out copies, which get a row only when somebody is handed them. */
  readonly strays: Set<number>;
}

const none: readonly number[] = [];

/**
 * Which copies wait, by recipient, in memory. An index on disk in this order would touch a page a recipient in every commit; the one on disk
 * is in the order of the log, and this is made from it at the start.
 */
export class OpenMail {
  readonly #database: Database;
  readonly #byRef = new Map<number, Waiting>();

  constructor(database: Database) {
    this.#database = database;
    this.reload();
  }

  /** Makes it anew from what is committed. */
  reload(): void {
    const rows = this.#database
      .prepare<[], { message_id: number; ref: number }>('SELECT message_id, ref FROM deliveries WHERE state <= 2 ORDER BY message_id')
      .all();
    // Only now: a read that fails leaves it as it was.
    this.#byRef.clear();
    for (const row of rows) this.opened(row.ref, row.message_id, 0);
  }

  /** A copy that is the newest of the log waits since `at`. */
  opened(ref: number, messageId: number, at: number): void {
    this.#of(ref).inOrder.set(messageId, at);
  }

  /** Since when a copy is queued, if nothing has happened to it and it was queued in this run; saves asking the database. */
  queuedSince(ref: number, messageId: number): number {
    return this.#byRef.get(ref)?.inOrder.get(messageId) ?? 0;
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

  #of(ref: number): Waiting {
    let waiting = this.#byRef.get(ref);
    if (!waiting) {
      waiting = { inOrder: new Map(), strays: new Set() };
      this.#byRef.set(ref, waiting);
    }
    return waiting;
  }
}
