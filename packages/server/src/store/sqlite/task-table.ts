import { type Task, TaskEventSchema, TaskSchema } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import type { NewTask } from '../../domain/change.ts';
import type { HistoryLine } from '../../domain/task-history.ts';
import { isActive, type TaskStep } from '../../domain/task-lifecycle.ts';
import { taskEvent, toldStep } from '../../domain/task-telling.ts';
import type { CallbackTable } from './callback-table.ts';
import type { SqliteLog } from './log.ts';
import { recordReader } from './record-reader.ts';

const readTask = recordReader(TaskSchema);
const readTaskEvent = recordReader(TaskEventSchema);

export interface TaskRow {
  readonly record: string;
}

interface FoundRow extends TaskRow {
  readonly callback_to: string | null;
}

/** Writes tasks, each step with its history, its event and its callback; inside `writer.write` only. */
export class TaskTable {
  readonly #log: SqliteLog;
  readonly #callbacks: CallbackTable;
  readonly #insert: Statement<
    [number, string, string, string, string, number, string | null, number, number | null, string | null, string]
  >;
  readonly #update: Statement<[string, number, number, number | null, string, number]>;
  readonly #get: Statement<[number, string], FoundRow>;
  readonly #active: Statement<[string, string, string], TaskRow>;
  readonly #newestLine: Statement<[number], { readonly record: string; readonly in_row: number }>;
  readonly #putLine: Statement<[number, number, number, string]>;

  constructor(database: Database, log: SqliteLog, callbacks: CallbackTable) {
    this.#log = log;
    this.#callbacks = callbacks;
    this.#insert = database.prepare(
      `INSERT INTO tasks (id, workspace, source, target, status, is_active, dedupe_key, last_seen_at, ended_at, callback_to, record)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#update = database.prepare('UPDATE tasks SET status = ?, is_active = ?, last_seen_at = ?, ended_at = ?, record = ? WHERE id = ?');
    this.#get = database.prepare('SELECT record, callback_to FROM tasks WHERE id = ? AND workspace = ?');
    this.#active = database.prepare('SELECT record FROM tasks WHERE workspace = ? AND source = ? AND dedupe_key = ? AND is_active = 1');
    this.#newestLine = database.prepare('SELECT record, in_row FROM task_events WHERE task_id = ? ORDER BY seq DESC LIMIT 1');
    this.#putLine = database.prepare('INSERT OR REPLACE INTO task_events (task_id, seq, in_row, record) VALUES (?, ?, ?, ?)');
  }

  get(workspace: string, id: number): Task | null {
    return toTask(this.#get.get(id, workspace));
  }

  activeUnder(workspace: string, source: string, dedupeKey: string): Task | null {
    return toTask(this.#active.get(workspace, source, dedupeKey));
  }

  create(workspace: string, { step, callbackTo }: NewTask): void {
    const { task } = step;
    const { id, source, target, status, dedupeKey, lastSeenAt, endedAt } = task;
    this.#insert.run(id, workspace, source, target, status, 1, dedupeKey, lastSeenAt, endedAt, callbackTo, JSON.stringify(task));
    this.#tell(workspace, step, null, callbackTo);
  }

  apply(workspace: string, step: TaskStep): void {
    const { task } = step;
    const found = this.#get.get(task.id, workspace);
    if (!found) throw new Error(`Task ${task.id} has no row`);
    this.#update.run(task.status, Number(isActive(task)), task.lastSeenAt, task.endedAt, JSON.stringify(task), task.id);
    this.#tell(workspace, step, toTask(found), found.callback_to);
  }

  #tell(workspace: string, step: TaskStep, before: Task | null, callbackTo: string | null): void {
    const { id } = step.task;
    const seq = this.#log.append(workspace, taskEvent(step));
    const { line, callback } = toldStep(step, seq, { task: before, newest: this.#newest(id), callbackTo });
    this.#putLine.run(id, line.line.seq, line.inRow, JSON.stringify(line.line));
    if (callback !== null) this.#callbacks.append(workspace, id, callback);
  }

  #newest(taskId: number): HistoryLine | null {
    const row = this.#newestLine.get(taskId);
    return row === undefined ? null : { line: readTaskEvent(row.record), inRow: row.in_row };
  }
}

export const toTask = (row: TaskRow | undefined): Task | null => (row === undefined ? null : readTask(row.record));
