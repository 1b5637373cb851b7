import type { Statement } from 'better-sqlite3';
import type { Page } from '../../domain/change.ts';
import type { Decision, Facts } from '../../domain/facts.ts';
import { recordCharacters, takePage } from '../../domain/page.ts';
import type { Resource } from '../../domain/resource.ts';
import type { CountedRecords, RecordQuery, RecordStore } from '../record-store.ts';
import type { SqliteContext } from './context.ts';
import { type RecordRow, readRecord, recordsUnder } from './record-table.ts';

interface RecordFilter {
  readonly resource: string;
  readonly workspace: string;
  readonly under: string;
  readonly before: number;
  readonly limit: number;
}

export class SqliteRecords implements RecordStore {
  readonly #context: SqliteContext;
  readonly #get: Statement<[string, string, number], RecordRow>;
  readonly #list: Statement<[RecordFilter], RecordRow>;
  readonly #listUnder: Statement<[RecordFilter], RecordRow>;
  readonly #count: Statement<[string, string, string], number>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader } = context;
    this.#get = reader.prepare('SELECT record FROM records WHERE resource = ? AND workspace = ? AND id = ?');
    this.#list = reader.prepare(
      'SELECT record FROM records WHERE resource = @resource AND workspace = @workspace AND id < @before ORDER BY id DESC LIMIT @limit',
    );
    this.#listUnder = reader.prepare(`${recordsUnder} AND k.id < @before ORDER BY k.id DESC LIMIT @limit`);
    this.#count = reader
      .prepare<[string, string, string], number>('SELECT count(*) FROM record_keys WHERE resource = ? AND workspace = ? AND key = ?')
      .pluck();
  }

  begin<Answer>(workspace: string, decide: (facts: Facts) => Decision<Answer>): Promise<Answer> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => changes.carryOut(workspace, decide(facts.of(workspace))).answer);
  }

  change<Kept extends { readonly id: number }, Answer>(
    resource: Resource<Kept>,
    workspace: string,
    id: number,
    decide: (record: Kept | null, facts: Facts) => Decision<Answer>,
  ): Promise<Answer> {
    return this.begin(workspace, (facts) => decide(facts.records.find(resource, id), facts));
  }

  async get<Kept extends { readonly id: number }>(resource: Resource<Kept>, workspace: string, id: number): Promise<Kept | null> {
    return readRecord(resource, this.#get.get(resource.name, workspace, id));
  }

  async list<Kept extends { readonly id: number }>(
    resource: Resource<Kept>,
    { workspace, under, before = Number.MAX_SAFE_INTEGER, limit }: RecordQuery,
  ): Promise<Page<Kept>> {
    const filter = { resource: resource.name, workspace, under, before, limit: limit + 1 };
    const found = under === '' ? this.#list.iterate(filter) : this.#listUnder.iterate(filter);
    const { rows, isCut } = takePage(found, limit, recordCharacters);
    const items = rows.flatMap((row) => readRecord(resource, row) ?? []);
    return { items, cursor: this.#context.log.head, next: isCut ? (items.at(-1)?.id ?? null) : null };
  }

  async count({ name }: { readonly name: string }, workspace: string, keys: readonly string[]): Promise<CountedRecords> {
    const counts = new Map(keys.map((key) => [key, this.#count.get(name, workspace, key) ?? 0]));
    return { counts, cursor: this.#context.log.head };
  }
}
