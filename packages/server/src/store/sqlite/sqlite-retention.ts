import type { Statement } from 'better-sqlite3';
import type { DecideExpiry, RetentionStore } from '../store.ts';
import type { SqliteContext } from './context.ts';
import { type MessageRow, messageColumns, toStoredMessage } from './message-rows.ts';
import { OpenCopies } from './open-copies.ts';

/** A message or an event at the log's old end. */
interface Entry {
  readonly id: number;
  readonly at: number;
}

type OldMessage = MessageRow & { readonly is_settled: number };

/** A message that somebody may still claim or finish. */
const isWork = `EXISTS (SELECT 1 FROM work w WHERE w.kind IN ('message', 'task') AND w.subject_id = messages.id AND w.status <> 'closed')`;

/**
 * Prunes from the log's old end. Messages that are still somebody's work stay as rows, below the floor: their work goes on, but the log is
 * no longer read there.
 *
 * A batch looks at a fixed number of entries in the order of the log and stops at the first that is young enough, so that it costs the same
 * whatever is stored; a round goes on behind the batch before, so that what has to stay is looked at once a round.
 */
export class SqliteRetention implements RetentionStore {
  readonly #context: SqliteContext;
  readonly #open: OpenCopies;
  readonly #messagesToExpire: Statement<[number, number], OldMessage>;
  readonly #markExpired: Statement<[number, number]>;
  readonly #messages: Statement<[number, number], Entry>;
  readonly #events: Statement<[number], Entry>;
  readonly #openCopies: Statement<[number, number], { readonly id: number; readonly ref: number }>;
  readonly #deletions: readonly Statement<[number, number]>[];
  readonly #deleteRecords: readonly Statement<[number]>[];
  readonly #deleteEvents: Statement<[number]>;
  readonly #setFloor: Statement<[number, number]>;
  /** Where the rounds in hand have come to. */
  #expiredThrough = 0;
  #prunedThrough = 0;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { database } = context;
    this.#open = new OpenCopies(context);
    this.#messagesToExpire = database.prepare(
      `SELECT ${messageColumns}, (expired_at IS NOT NULL OR deleted_at IS NOT NULL OR ${isWork}) AS is_settled
       FROM messages WHERE id > ? ORDER BY id LIMIT ?`,
    );
    this.#markExpired = database.prepare('UPDATE messages SET expired_at = ? WHERE id = ?');
    this.#messages = database.prepare('SELECT id, created_at AS at FROM messages WHERE id > ? ORDER BY id LIMIT ?');
    this.#events = database.prepare('SELECT seq AS id, at FROM events ORDER BY seq LIMIT ?');
    const gone = `IN (SELECT id FROM messages WHERE id > ? AND id <= ? AND NOT ${isWork})`;
    this.#openCopies = database.prepare(`SELECT message_id AS id, ref FROM deliveries WHERE state <= 2 AND message_id ${gone}`);
    this.#deletions = [
      `DELETE FROM deliveries WHERE message_id ${gone}`,
      `DELETE FROM dead_letters WHERE message_id ${gone}`,
      `DELETE FROM idempotency WHERE message_id ${gone}`,
      `DELETE FROM channel_links WHERE message_id ${gone}`,
      `DELETE FROM claims WHERE kind IN ('message', 'task') AND subject_id ${gone}`,
      `DELETE FROM message_words WHERE rowid ${gone}`,
      `DELETE FROM messages WHERE id ${gone}`,
      // What says that a message is still work goes last, and only without its message.
      `DELETE FROM work WHERE kind IN ('message', 'task') AND subject_id > ? AND subject_id <= ? AND status = 'closed'`,
    ].map((sql) => database.prepare(sql));
    this.#deleteRecords = [
      `DELETE FROM record_keys WHERE (resource, workspace, id) IN (SELECT resource, workspace, id FROM records WHERE id <= ? AND is_open = 0)`,
      'DELETE FROM records WHERE id <= ? AND is_open = 0',
    ].map((sql) => database.prepare(sql));
    this.#deleteEvents = database.prepare('DELETE FROM events WHERE seq <= ?');
    this.#setFloor = database.prepare("UPDATE meta SET value = ? WHERE key = 'pruned_through' AND value < ?");
  }

  async expire<Answer>(
    { before, now, limit }: Parameters<RetentionStore['expire']>[0],
    decide: DecideExpiry<Answer>,
  ): Promise<{ readonly hasMore: boolean; readonly answers: readonly Answer[] }> {
    const { writer, changes, facts } = this.#context;
    const { through, answers } = await writer.write(() => {
      const looked = this.#messagesToExpire.all(this.#expiredThrough, limit);
      const old = oldOf(looked, ({ created_at }) => created_at, before);
      const decided = old.flatMap((row) => {
        if (row.is_settled === 1) return [];
        const found = toStoredMessage(row);
        const waiting = this.#open.of(found, ['queued']);
        if (waiting.length === 0) return [];
        this.#markExpired.run(now, row.id);
        return [changes.carryOut(row.workspace, decide({ ...facts.of(row.workspace), found, waiting, work: null })).answer];
      });
      return { through: old.length === limit ? (old.at(-1)?.id ?? 0) : 0, answers: decided };
    });
    // Only now: a write that is undone has come nowhere.
    this.#expiredThrough = through;
    return { hasMore: through > 0, answers };
  }

  async prune(before: number, limit: number): Promise<boolean> {
    const { writer, log, index } = this.#context;
    const after = this.#prunedThrough;
    const { through, hasMore } = await writer.write(() => {
      const messages = oldOf(this.#messages.all(after, limit), ({ at }) => at, before);
      const events = oldOf(this.#events.all(limit), ({ at }) => at, before);
      const lastMessage = messages.at(-1)?.id ?? 0;
      const lastEvent = events.at(-1)?.id ?? 0;
      if (lastMessage > 0) this.#delete(after, lastMessage);
      if (lastEvent > 0) this.#deleteEvents.run(lastEvent);
      const floor = Math.max(lastMessage, lastEvent);
      if (floor > log.floor) {
        this.#setFloor.run(floor, floor);
        log.raiseFloor(floor);
      }
      const more = messages.length === limit || events.length === limit;
      // Every agent is looked at for this: once a round.
      if (!more && log.floor > 0) index.dropIntervalsBefore(log.floor);
      return { through: Math.max(after, lastMessage), hasMore: more };
    });
    this.#prunedThrough = hasMore ? through : 0;
    return hasMore;
  }

  #delete(after: number, through: number): void {
    const { openMail } = this.#context;
    // What waits without a row is known in memory only, and there only as a whole.
    const hasUnwritten = openMail.hasUnwrittenThrough(through);
    const open = this.#openCopies.all(after, through);
    for (const deletion of this.#deletions) deletion.run(after, through);
    for (const deletion of this.#deleteRecords) deletion.run(through);
    if (hasUnwritten) openMail.reload();
    else for (const { id, ref } of open) openMail.closed(ref, id);
  }
}

/** The entries before the first that is young enough. */
function oldOf<Item>(entries: readonly Item[], at: (entry: Item) => number, before: number): readonly Item[] {
  const young = entries.findIndex((entry) => at(entry) >= before);
  return young === -1 ? entries : entries.slice(0, young);
}
