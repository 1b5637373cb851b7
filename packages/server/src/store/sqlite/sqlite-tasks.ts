import { type Task, type TaskEvent, TaskEventSchema, type TaskStatus } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Page } from '../../domain/change.ts';
import type { Decision, ReportFacts, TaskFacts } from '../../domain/facts.ts';
import { recordCharacters, takePage } from '../../domain/page.ts';
import { noTasks } from '../../domain/task-words.ts';
import type { ReportSubject, TaskQuery, TaskSource, TaskStore } from '../task-store.ts';
import type { SqliteContext } from './context.ts';
import { NewestFirst } from './newest-first.ts';
import { recordReader } from './record-reader.ts';
import { type TaskRow, toTask } from './task-table.ts';

const readTaskEvent = recordReader(TaskEventSchema);

type CountFilter = ReturnType<typeof statusFilter> & { readonly [Name in 'workspace' | 'source' | 'target']: string | null };
type Counting = Statement<[CountFilter], { readonly status: TaskStatus; readonly count: number }>;

const statusFilter = (status: TaskQuery['status']) => ({
  status: status === 'active' || status === 'ended' ? null : (status ?? null),
  isActive: status === 'active' ? 1 : null,
  isEnded: status === 'ended' ? 1 : null,
});

export class SqliteTasks implements TaskStore {
  readonly #context: SqliteContext;
  readonly #get: Statement<[number, string], TaskRow>;
  readonly #numbered: Statement<[number], TaskRow>;
  readonly #list: NewestFirst;
  readonly #events: Statement<[number, number, number], TaskRow>;
  readonly #countActive: Counting;
  readonly #countAll: Counting;
  readonly #sources: Statement<[string], TaskSource>;
  readonly #ended: Statement<[number, number], number>;
  readonly #deletions: readonly Statement<[{ id: number; limit: number }]>[];

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader, database } = context;
    this.#get = reader.prepare('SELECT record FROM tasks WHERE id = ? AND workspace = ?');
    this.#numbered = reader.prepare('SELECT record FROM tasks WHERE id = ?');
    this.#list = new NewestFirst(reader, context.scanTurns, {
      table: 'tasks',
      id: 'id',
      matches: `(@source IS NULL OR source = @source) AND (@target IS NULL OR target = @target) AND (@isActive IS NULL OR is_active = @isActive)
        AND (@isEnded IS NULL OR is_active = 0) AND (@status IS NULL OR status = @status)`,
      indexed: { source: 'source = @source', isActive: 'is_active = 1' },
    });
    this.#events = reader.prepare('SELECT record FROM task_events WHERE task_id = ? AND seq > ? ORDER BY seq LIMIT ?');
    const counting = (which: string): Counting =>
      reader.prepare(
        `SELECT status, count(*) AS count FROM tasks WHERE workspace = @workspace ${which} AND (@isEnded IS NULL OR is_active = 0)
         AND (@status IS NULL OR status = @status) AND (@source IS NULL OR source = @source) AND (@target IS NULL OR target = @target) GROUP BY status`,
      );
    this.#countActive = counting('AND is_active = 1');
    this.#countAll = counting('');
    this.#sources = reader.prepare(
      `SELECT source, sum(is_active) AS active, count(*) AS total, max(last_seen_at) AS lastSeenAt
       FROM tasks WHERE workspace = ? GROUP BY source ORDER BY source`,
    );
    // One whose source is still to be told of it stays until that is settled.
    this.#ended = database
      .prepare<[number, number], number>(
        `SELECT id FROM tasks WHERE ended_at < ?
         AND NOT EXISTS (SELECT 1 FROM callbacks WHERE task_id = tasks.id AND status = 'pending') ORDER BY ended_at LIMIT ?`,
      )
      .pluck();
    // The task itself goes last: as long as it is there, the next batch finds it and what is left of it.
    this.#deletions = [
      'DELETE FROM task_events WHERE task_id = @id AND seq IN (SELECT seq FROM task_events WHERE task_id = @id ORDER BY seq LIMIT @limit)',
      'DELETE FROM callbacks WHERE id IN (SELECT id FROM callbacks WHERE task_id = @id LIMIT @limit)',
      'DELETE FROM tasks WHERE id = @id AND @limit > 0',
    ].map((sql) => database.prepare(sql));
  }

  report<Answer>(subject: ReportSubject, decide: (facts: ReportFacts) => Decision<Answer>): Promise<Answer> {
    const { workspace, source, dedupeKey } = subject;
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const active = dedupeKey === null ? null : changes.tables.tasks.activeUnder(workspace, source, dedupeKey);
      const found = active && facts.ofTask(workspace, active.id);
      return changes.carryOut(workspace, decide({ ...facts.of(workspace), earlier: this.#earlier(subject), active: found })).answer;
    });
  }

  change<Answer>(workspace: string, id: number, decide: (facts: TaskFacts) => Decision<Answer>): Promise<Answer> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => changes.carryOut(workspace, decide({ ...facts.of(workspace), found: facts.ofTask(workspace, id) })).answer);
  }

  async get(workspace: string, id: number): Promise<Task | null> {
    return toTask(this.#get.get(id, workspace));
  }

  async among(workspace: string, ids: readonly number[]): Promise<ReadonlyMap<number, Task>> {
    const found = new Map<number, Task>();
    for (const id of ids) {
      const task = toTask(this.#get.get(id, workspace));
      if (task) found.set(id, task);
    }
    return found;
  }

  async list({ workspace, status, source, target, before, limit, caller }: TaskQuery): Promise<Page<Task>> {
    const page = await this.#list.page(
      { workspace, ...statusFilter(status), source: source ?? null, target: target ?? null },
      { before, limit, caller, get: (id) => this.#numbered.get(id), charactersOf: recordCharacters, toItem: toTask },
    );
    return { ...page, cursor: this.#context.log.head };
  }

  async count({ workspace, status, source, target }: Parameters<TaskStore['count']>[0]) {
    const counts = noTasks();
    const counting = status === 'active' ? this.#countActive : this.#countAll;
    const filter = { workspace, source: source ?? null, target: target ?? null, ...statusFilter(status) };
    for (const { status: one, count } of counting.iterate(filter)) counts[one] = count;
    return { counts, cursor: this.#context.log.head };
  }

  async events(workspace: string, id: number, after: number, limit: number): Promise<Page<TaskEvent>> {
    const { head } = this.#context.log;
    if (!this.#get.get(id, workspace)) return { items: [], cursor: head, next: null };
    const { rows, isCut } = takePage(this.#events.iterate(id, after, limit + 1), limit, recordCharacters);
    const items = rows.map(({ record }) => readTaskEvent(record));
    return { items, cursor: head, next: isCut ? (items.at(-1)?.seq ?? null) : null };
  }

  async sources(workspace: string): Promise<readonly TaskSource[]> {
    return this.#sources.all(workspace);
  }

  prune(before: number, limit: number): Promise<boolean> {
    const { writer, changes } = this.#context;
    return writer.write(() => {
      let left = limit - changes.tables.reportKeys.prune(before, limit);
      if (left === 0) return true;
      for (const id of this.#ended.all(before, limit)) {
        for (const deletion of this.#deletions) {
          left -= deletion.run({ id, limit: left }).changes;
          if (left === 0) return true;
        }
      }
      return false;
    });
  }

  #earlier({ workspace, source, idempotencyKey }: ReportSubject): ReportFacts['earlier'] {
    const { reportKeys, tasks } = this.#context.changes.tables;
    const row = idempotencyKey === null ? null : reportKeys.find(workspace, source, idempotencyKey);
    if (!row) return null;
    return { digest: row.digest, outcome: row.outcome, task: row.task_id === null ? null : tasks.get(workspace, row.task_id) };
  }
}
