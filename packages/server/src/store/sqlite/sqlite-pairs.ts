import type { Pair } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Page } from '../../domain/change.ts';
import type { Decision, Facts } from '../../domain/facts.ts';
import { recordCharacters, takePage } from '../../domain/page.ts';
import type { PairQuery, PairStore } from '../pair-store.ts';
import type { SqliteContext } from './context.ts';
import { toPair } from './pair-table.ts';

interface PairRow {
  readonly record: string;
}

interface PairFilter {
  readonly workspace: string;
  readonly status: string | null;
  readonly before: number;
  readonly limit: number;
}

export class SqlitePairs implements PairStore {
  readonly #context: SqliteContext;
  readonly #get: Statement<[string, number], PairRow>;
  readonly #list: Statement<[PairFilter], PairRow>;
  readonly #listOf: Statement<[PairFilter & { readonly agentId: string }], PairRow>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader } = context;
    this.#get = reader.prepare('SELECT record FROM pairs WHERE workspace = ? AND id = ?');
    const filter = 'workspace = @workspace AND (@status IS NULL OR status = @status) AND id < @before';
    this.#list = reader.prepare(`SELECT record FROM pairs WHERE ${filter} ORDER BY id DESC LIMIT @limit`);
    this.#listOf = reader.prepare(
      `SELECT record FROM pairs WHERE ${filter} AND (requester = @agentId OR target = @agentId) ORDER BY id DESC LIMIT @limit`,
    );
  }

  request<Answer>(workspace: string, decide: (facts: Facts) => Decision<Answer>): Promise<Answer> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => changes.carryOut(workspace, decide(facts.of(workspace))).answer);
  }

  change<Answer>(workspace: string, id: number, decide: (pair: Pair | null, facts: Facts) => Decision<Answer>): Promise<Answer> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => changes.carryOut(workspace, decide(changes.tables.pairs.find(workspace, id), facts.of(workspace))).answer);
  }

  async get(workspace: string, id: number): Promise<Pair | null> {
    return toPair(this.#get.get(workspace, id));
  }

  async list({ workspace, agentId, status, before = Number.MAX_SAFE_INTEGER, limit }: PairQuery): Promise<Page<Pair>> {
    const filter = { workspace, status: status ?? null, before, limit: limit + 1 };
    const found = agentId === undefined ? this.#list.iterate(filter) : this.#listOf.iterate({ ...filter, agentId });
    const { rows, isCut } = takePage(found, limit, recordCharacters);
    const items = rows.flatMap((row) => toPair(row) ?? []);
    return { items, cursor: this.#context.log.head, next: isCut ? (items.at(-1)?.id ?? null) : null };
  }
}
