import type { Database, Statement } from 'better-sqlite3';
import type { NewCallback } from '../../domain/task-telling.ts';
import { WriteBell } from './write-bell.ts';

/** Writes callbacks; inside `writer.write` only. */
export class CallbackTable extends WriteBell {
  readonly #insert: Statement<[string, number, string, string, number | null, number, number, number, string]>;
  readonly #pending: Statement<[number], number>;
  readonly #promote: Statement<[number, number]>;

  constructor(database: Database) {
    super();
    this.#insert = database.prepare(
      `INSERT INTO callbacks (workspace, task_id, integration, event, status, next_at, deadline_at, created_at, updated_at, body)
       VALUES (?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?)`,
    );
    this.#pending = database
      .prepare<[number], number>("SELECT id FROM callbacks WHERE task_id = ? AND status = 'pending' ORDER BY id LIMIT 1")
      .pluck();
    this.#promote = database.prepare('UPDATE callbacks SET next_at = ? WHERE id = ? AND next_at IS NULL');
  }

  /** Behind those of its task that are still to be delivered. */
  append(workspace: string, taskId: number, { integration, event, at, deadlineAt, body }: NewCallback): void {
    const nextAt = this.#pending.get(taskId) === undefined ? at : null;
    this.#insert.run(workspace, taskId, integration, event, nextAt, deadlineAt, at, at, body);
    this.note();
  }

  /** One of the task's callbacks is settled: the next may go. */
  letNextGo(taskId: number, at: number): void {
    const next = this.#pending.get(taskId);
    if (next !== undefined) this.#promote.run(at, next);
    this.note();
  }
}
