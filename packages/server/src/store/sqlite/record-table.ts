import type { Database, Statement } from 'better-sqlite3';
import type { RecordFacts, RecordWrite, Resource } from '../../domain/resource.ts';

export interface RecordRow {
  readonly record: string;
}

/** Selects the records of a resource that have a key. */
export const recordsUnder = `SELECT r.record FROM record_keys k JOIN records r ON r.resource = k.resource AND r.workspace = k.workspace AND r.id = k.id
  WHERE k.resource = @resource AND k.workspace = @workspace AND k.key = @under`;

/** Writes the records of resources that have no table of their own. Inside `writer.write` only. */
export class RecordTable {
  readonly #put: Statement<[string, string, number, number, string]>;
  readonly #forgetKeys: Statement<[string, string, number]>;
  readonly #putKey: Statement<[string, string, string, number, number]>;
  readonly #find: Statement<[string, string, number], RecordRow>;
  readonly #under: Statement<[{ readonly resource: string; readonly workspace: string; readonly under: string }], RecordRow>;
  readonly #facts = new Map<string, RecordFacts>();

  constructor(database: Database) {
    this.#put = database.prepare(
      `INSERT INTO records (resource, workspace, id, is_open, record) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (resource, workspace, id) DO UPDATE SET is_open = excluded.is_open, record = excluded.record`,
    );
    this.#forgetKeys = database.prepare('DELETE FROM record_keys WHERE resource = ? AND workspace = ? AND id = ?');
    this.#putKey = database.prepare('INSERT INTO record_keys (resource, workspace, key, id, is_exclusive) VALUES (?, ?, ?, ?, ?)');
    this.#find = database.prepare('SELECT record FROM records WHERE resource = ? AND workspace = ? AND id = ?');
    this.#under = database.prepare(`${recordsUnder} ORDER BY k.id DESC`);
  }

  put(workspace: string, { resource, id, isOpen, keys, exclusive, record }: RecordWrite): void {
    this.#put.run(resource, workspace, id, isOpen ? 1 : 0, JSON.stringify(record));
    this.#forgetKeys.run(resource, workspace, id);
    for (const key of keys) this.#putKey.run(resource, workspace, key, id, 0);
    for (const key of exclusive) this.#putKey.run(resource, workspace, key, id, 1);
  }

  /** Made once: every write asks for them, and few look anything up. */
  in(workspace: string): RecordFacts {
    let found = this.#facts.get(workspace);
    if (!found) {
      found = {
        find: (resource, id) => readRecord(resource, this.#find.get(resource.name, workspace, id)),
        under: (resource, under) =>
          this.#under.all({ resource: resource.name, workspace, under }).flatMap((row) => readRecord(resource, row) ?? []),
      };
      this.#facts.set(workspace, found);
    }
    return found;
  }
}

export const readRecord = <Kept extends { readonly id: number }>({ read }: Resource<Kept>, row: RecordRow | undefined): Kept | null =>
  row === undefined ? null : read(JSON.parse(row.record));
