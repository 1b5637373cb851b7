import type { Callback, CallbackEvent, CallbackStatus } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Page } from '../../domain/change.ts';
import type { CallbackQuery, CallbackStore, DueCallback } from '../callback-store.ts';
import type { PostOutcome } from '../due-post.ts';
import type { SqliteContext } from './context.ts';
import { NewestFirst } from './newest-first.ts';
import { RowsByStatus } from './rows-by-status.ts';

interface CallbackRow {
  readonly id: number;
  readonly workspace: string;
  readonly task_id: number;
  readonly integration: string;
  /** These two are written by this version only, from their types. */
  readonly event: CallbackEvent;
  readonly status: CallbackStatus;
  readonly attempts: number;
  readonly next_at: number | null;
  readonly deadline_at: number;
  readonly last_status: number | null;
  readonly last_error: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly body: string;
}

export class SqliteCallbacks implements CallbackStore {
  readonly #context: SqliteContext;
  readonly #due: Statement<[string, string, number, number], CallbackRow>;
  readonly #nextDue: Statement<[string, string], number | null>;
  readonly #find: Statement<[number], CallbackRow>;
  readonly #settle: Statement<[string, number | null, number | null, string | null, number, number]>;
  readonly #giveUp: Statement<[string, number, number]>;
  readonly #redeliver: Statement<[number, number, number, number]>;
  readonly #holdBackAfter: Statement<[number, number]>;
  readonly #overdue: Statement<[number, number], CallbackRow>;
  readonly #numbered: Statement<[number], CallbackRow>;
  readonly #list: NewestFirst;
  readonly #byStatus: RowsByStatus<CallbackStatus>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader, database } = context;
    const next = "FROM callbacks WHERE workspace = ? AND integration = ? AND status = 'pending' AND next_at IS NOT NULL";
    this.#due = reader.prepare(`SELECT * ${next} AND next_at <= ? ORDER BY id LIMIT ?`);
    this.#nextDue = reader.prepare<[string, string], number | null>(`SELECT min(next_at) ${next}`).pluck();
    this.#find = database.prepare('SELECT * FROM callbacks WHERE id = ?');
    // Sending one again can put it before another of its task whose turn it already was.
    const inTurn = `CASE WHEN EXISTS (SELECT 1 FROM callbacks earlier
       WHERE earlier.task_id = callbacks.task_id AND earlier.status = 'pending' AND earlier.id < callbacks.id) THEN NULL ELSE ? END`;
    this.#settle = database.prepare(
      `UPDATE callbacks SET status = ?, next_at = ${inTurn}, last_status = ?, last_error = ?, attempts = attempts + 1, updated_at = ?
       WHERE id = ?`,
    );
    this.#giveUp = database.prepare(
      "UPDATE callbacks SET status = 'dead', next_at = NULL, last_error = ifnull(last_error, ?), updated_at = ? WHERE id = ?",
    );
    this.#redeliver = database.prepare(
      `UPDATE callbacks SET status = 'pending', next_at = ${inTurn}, deadline_at = ?, updated_at = ? WHERE id = ?`,
    );
    this.#holdBackAfter = database.prepare("UPDATE callbacks SET next_at = NULL WHERE task_id = ? AND id > ? AND status = 'pending'");
    this.#overdue = database.prepare("SELECT * FROM callbacks WHERE status = 'pending' AND deadline_at < ? ORDER BY id LIMIT ?");
    this.#numbered = reader.prepare('SELECT * FROM callbacks WHERE id = ?');
    this.#byStatus = new RowsByStatus(reader, { table: 'callbacks', statuses: ['pending', 'delivered', 'dead'], owner: 'integration' });
    this.#list = new NewestFirst(reader, context.scanTurns, {
      table: 'callbacks',
      id: 'id',
      matches: `(@status IS NULL OR status = @status) AND (@integration IS NULL OR integration = @integration)
        AND (@taskId IS NULL OR task_id = @taskId)`,
    });
  }

  async due(workspace: string, integration: string, now: number, limit: number): Promise<readonly DueCallback[]> {
    return this.#due.all(workspace, integration, now, limit).map(toDue);
  }

  async nextDue(workspace: string, integration: string): Promise<number | null> {
    return this.#nextDue.get(workspace, integration) ?? null;
  }

  settle(id: number, { status, nextAttemptAt, lastStatus, lastError, at }: PostOutcome): Promise<void> {
    return this.#context.writer.write(() => {
      const row = this.#find.get(id);
      if (!row) return;
      this.#settle.run(status, nextAttemptAt, lastStatus, lastError, at, id);
      this.#tell(row, status, at);
      const { callbacks } = this.#context.changes.tables;
      if (status === 'pending') callbacks.note();
      else callbacks.letNextGo(row.task_id, at);
    });
  }

  redeliver(
    workspace: string,
    id: number,
    { now, deadlineAt }: { readonly now: number; readonly deadlineAt: number },
    mayRedeliver: (found: Callback | null) => void,
  ): Promise<Callback> {
    return this.#context.writer.write(() => {
      const row = this.#find.get(id);
      const found = row && row.workspace === workspace ? row : null;
      mayRedeliver(found && toCallback(found));
      if (!found) throw new Error('A callback that is not there was let through');
      this.#redeliver.run(now, deadlineAt, now, id);
      this.#holdBackAfter.run(found.task_id, id);
      this.#tell(found, 'pending', now);
      this.#context.changes.tables.callbacks.note();
      return toCallback(this.#find.get(id) ?? found);
    });
  }

  giveUp(now: number, reason: string, limit: number): Promise<number> {
    return this.#context.writer.write(() => {
      const rows = this.#overdue.all(now, limit);
      for (const row of rows) {
        this.#giveUp.run(reason, now, row.id);
        this.#tell(row, 'dead', now);
        this.#context.changes.tables.callbacks.letNextGo(row.task_id, now);
      }
      return rows.length;
    });
  }

  async count({ workspace, status, integration }: Parameters<CallbackStore['count']>[0]) {
    return { counts: this.#byStatus.counts({ workspace, status, owner: integration }), cursor: this.#context.log.head };
  }

  async list({ workspace, status, integration, taskId, before, limit, caller }: CallbackQuery): Promise<Page<Callback>> {
    const page = await this.#list.page(
      { workspace, status: status ?? null, integration: integration ?? null, taskId: taskId ?? null },
      { before, limit, caller, get: (id) => this.#numbered.get(id), charactersOf: callbackCharacters, toItem: toCallback },
    );
    return { ...page, cursor: this.#context.log.head };
  }

  /** What failed and where stays with the callback, which not everybody who reads the log may see. */
  #tell({ id, workspace, task_id, integration }: CallbackRow, status: CallbackStatus, at: number): void {
    this.#context.log.append(workspace, { type: 'callback.updated', at, callbackId: id, taskId: task_id, integration, status });
  }

  onWritten(listener: () => void): () => void {
    return this.#context.changes.tables.callbacks.onWritten(listener);
  }
}

const callbackCharacters = (row: CallbackRow): number => (row.last_error?.length ?? 0) + 400;

const toDue = ({ id, task_id, event, attempts, deadline_at, body }: CallbackRow): DueCallback => ({
  id,
  subjectId: task_id,
  event,
  attempts,
  deadlineAt: deadline_at,
  body,
});

const toCallback = (row: CallbackRow): Callback => ({
  id: row.id,
  taskId: row.task_id,
  integration: row.integration,
  event: row.event,
  status: row.status,
  attempts: row.attempts,
  nextAttemptAt: row.next_at,
  lastStatus: row.last_status,
  lastError: row.last_error,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
