import type { CallbackEvent, Task } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import { CALLBACK_LIFETIME_MS } from '../../domain/callback-policy.ts';

export interface NewCallback {
  readonly event: CallbackEvent;
  readonly type: string;
  readonly seq: number;
  readonly task: Task;
}

/** Writes callbacks; inside `writer.write` only. */
export class CallbackTable {
  readonly #insert: Statement<[string, number, string, string, number | null, number, number, number, string]>;
  readonly #pending: Statement<[number], number>;
  readonly #promote: Statement<[number, number]>;
  readonly #listeners = new Set<() => void>();
  #isWritten = false;

  constructor(database: Database) {
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
    this.#isWritten = true;
  }

  /** One of the task's callbacks is settled: the next may go. */
  letNextGo(taskId: number, at: number): void {
    const next = this.#pending.get(taskId);
    if (next !== undefined) this.#promote.run(at, next);
    this.#isWritten = true;
  }

  /** One is to be looked at again. */
  note(): void {
    this.#isWritten = true;
  }

  onWritten(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  committed(): void {
    if (!this.#isWritten) return;
    this.#isWritten = false;
    for (const listener of this.#listeners) listener();
  }

  rolledBack(): void {
    this.#isWritten = false;
  }
}
