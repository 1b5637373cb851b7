import type { Statement } from 'better-sqlite3';
import type { RetentionStore } from '../store.ts';
import type { SqliteContext } from './context.ts';
import { type MessageRow, messageColumns, toStoredMessage } from './message-rows.ts';
import { OpenCopies } from './open-copies.ts';

interface Span {
  readonly count: number;
  readonly last: number | null;
}

/**
 * Prunes from the log's old end. Messages that are still somebody's work stay as rows, below the floor: their work goes on, but the log is
 * no longer read there.
 */
export class SqliteRetention implements RetentionStore {
  readonly #context: SqliteContext;
  readonly #open: OpenCopies;
  readonly #old: Statement<[number, number], MessageRow>;
  readonly #markExpired: Statement<[number, number]>;
  readonly #oldMessages: Statement<[number, number], Span>;
  readonly #oldEvents: Statement<[number, number], Span>;
  readonly #steps: readonly Statement<[number]>[];
  readonly #deleteMessages: Statement<[number]>;
  readonly #deleteEvents: Statement<[number]>;
  readonly #openThrough: Statement<[number], number>;
  readonly #setFloor: Statement<[number, number]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { database } = context;
    this.#open = new OpenCopies(context);
    this.#markExpired = database.prepare('UPDATE messages SET expired_at = ? WHERE id = ?');
    this.#old = database.prepare(
      `SELECT ${messageColumns} FROM messages WHERE created_at < ? AND expired_at IS NULL AND deleted_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM work w WHERE w.subject_id = messages.id AND w.status <> 'closed')
       ORDER BY id LIMIT ?`,
    );
    const disposable = `id NOT IN (SELECT subject_id FROM work WHERE status <> 'closed')`;
    this.#oldMessages = database.prepare(
      `SELECT count(*) AS count, max(id) AS last FROM (SELECT id FROM messages WHERE created_at < ? AND ${disposable} ORDER BY id LIMIT ?)`,
    );
    this.#oldEvents = database.prepare(
      'SELECT count(*) AS count, max(seq) AS last FROM (SELECT seq FROM events WHERE at < ? ORDER BY seq LIMIT ?)',
    );
    const gone = `IN (SELECT id FROM messages WHERE id <= ? AND ${disposable})`;
    this.#steps = [
      `DELETE FROM deliveries WHERE message_id ${gone}`,
      `DELETE FROM idempotency WHERE message_id ${gone}`,
      `DELETE FROM claims WHERE kind IN ('message', 'task') AND subject_id ${gone}`,
      `DELETE FROM work WHERE kind IN ('message', 'task') AND subject_id ${gone}`,
      `DELETE FROM pairs WHERE id <= ? AND status NOT IN ('pending', 'active')`,
    ].map((sql) => database.prepare(sql));
    this.#deleteMessages = database.prepare(`DELETE FROM messages WHERE id <= ? AND ${disposable}`);
    this.#deleteEvents = database.prepare('DELETE FROM events WHERE seq <= ?');
    this.#openThrough = database.prepare<[number], number>('SELECT 1 FROM deliveries WHERE state <= 2 AND message_id <= ? LIMIT 1').pluck();
    this.#setFloor = database.prepare("UPDATE meta SET value = ? WHERE key = 'pruned_through' AND value < ?");
  }

  expire(before: number, now: number, limit: number, decide: Parameters<RetentionStore['expire']>[3]): Promise<number> {
    const { writer, changes } = this.#context;
    return writer.write(() => {
      const rows = this.#old.all(before, limit);
      for (const row of rows) {
        const found = toStoredMessage(row);
        const waiting = this.#open.of(found, [0, 1]);
        this.#markExpired.run(now, row.id);
        if (waiting.length > 0) changes.apply(row.workspace, decide(found, waiting));
      }
      return rows.length;
    });
  }

  prune(before: number, limit: number): Promise<number> {
    return this.#context.writer.write(() => {
      const messages = this.#oldMessages.get(before, limit);
      const events = this.#oldEvents.get(before, limit);
      const hadOpenMail =
        messages?.last != null && (this.#openThrough.get(messages.last) === 1 || this.#context.openMail.hasUnwrittenThrough(messages.last));
      for (const step of this.#steps) if (messages?.last) step.run(messages.last);
      if (messages?.last) this.#deleteMessages.run(messages.last);
      if (events?.last) this.#deleteEvents.run(events.last);
      const floor = Math.max(messages?.last ?? 0, events?.last ?? 0);
      if (hadOpenMail) this.#context.openMail.reload();
      if (floor > 0) {
        this.#setFloor.run(floor, floor);
        this.#context.log.raiseFloor(floor);
        this.#context.index.dropIntervalsBefore(floor);
      }
      return (messages?.count ?? 0) + (events?.count ?? 0);
    });
  }
}
