import type { CallbackEvent, Task } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import { CALLBACK_LIFETIME_MS } from '../../domain/callback-policy.ts';
import { WriteBell } from './write-bell.ts';

export interface NewCallback {
  readonly event: CallbackEvent;
  readonly type: string;
  readonly seq: number;
  readonly task: Task;
}

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

  append(workspace: string, integration: string, { event, type, seq, task }: NewCallback): void {
    const at = task.updatedAt;
    const nextAt = this.#pending.get(task.id) === undefined ? at : null;
    const body = JSON.stringify({ event, task, type, seq, at });
    this.#insert.run(workspace, task.id, integration, event, nextAt, at + CALLBACK_LIFETIME_MS, at, at, body);
    this.note();
  }

  /** One of the task's callbacks is settled: the next may go. */
  letNextGo(taskId: number, at: number): void {
    const next = this.#pending.get(taskId);
    if (next !== undefined) this.#promote.run(at, next);
    this.note();
  }
}
