import type { ReportedEvent } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import type { ReportKey } from '../../domain/change.ts';

export interface KeyRow {
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

  /** What became of the report that came before under this key. */
  find(workspace: string, source: string, key: string): KeyRow | null {
    return this.#find.get(workspace, source, key) ?? null;
  }

  put(workspace: string, { source, key, digest, outcome, taskId }: ReportKey, at: number): void {
    this.#put.run(workspace, source, key, digest, outcome, taskId, at);
  }

  /** Answers how many went. */
  prune(before: number, limit: number): number {
    return this.#prune.run(before, limit).changes;
  }
}
