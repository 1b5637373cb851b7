import { RelayError, type ReportedEvent } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import type { TaskReport } from '../task-store.ts';

interface KeyRow {
  readonly digest: string;
  /** Written by this version only, from its type. */
  readonly outcome: ReportedEvent['outcome'];
  readonly task_id: number | null;
}

/** What became of reports that named a key; inside `writer.write` only. */
export class ReportKeyTable {
  readonly #find: Statement<[string, string, string], KeyRow>;
  readonly #put: Statement<[string, string, string, string, string, number | null, number]>;
  readonly #prune: Statement<[number, number]>;

  constructor(database: Database) {
    this.#find = database.prepare('SELECT digest, outcome, task_id FROM report_keys WHERE workspace = ? AND source = ? AND key = ?');
    this.#put = database.prepare(
      'INSERT INTO report_keys (workspace, source, key, digest, outcome, task_id, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#prune = database.prepare(
      'DELETE FROM report_keys WHERE (workspace, source, key) IN (SELECT workspace, source, key FROM report_keys WHERE at < ? LIMIT ?)',
    );
  }

  /** @throws RelayError `idempotency_mismatch`. */
  find({
    workspace,
    source,
    idempotency,
  }: TaskReport): { readonly outcome: ReportedEvent['outcome']; readonly taskId: number | null } | null {
    const row = idempotency && this.#find.get(workspace, source, idempotency.key);
    if (!row) return null;
    if (row.digest === idempotency.digest) return { outcome: row.outcome, taskId: row.task_id };
    throw new RelayError('idempotency_mismatch', 'This idempotency key was used for a report with other content', {
      details: { taskId: row.task_id },
    });
  }

  put({ workspace, source, idempotency }: TaskReport, { outcome, task }: Pick<ReportedEvent, 'outcome' | 'task'>): void {
    if (!idempotency) return;
    this.#put.run(workspace, source, idempotency.key, idempotency.digest, outcome, task?.id ?? null, idempotency.at);
  }

  /** Answers how many went. */
  prune(before: number, limit: number): number {
    return this.#prune.run(before, limit).changes;
  }
}
