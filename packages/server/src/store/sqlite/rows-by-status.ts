import type { Database, Statement } from 'better-sqlite3';

interface CountedTable<Status extends string> {
  readonly table: string;
  readonly statuses: readonly Status[];
  /** Whose a row is: an index has it behind the workspace and the status. */
  readonly owner: string;
}

interface CountFilter<Status extends string> {
  readonly workspace: string;
  readonly status?: Status | undefined;
  readonly owner?: string | undefined;
}

type Bound = { readonly [Name in keyof CountFilter<string>]-?: string | null };

/** How many rows of a table there are of each status, counted in an index alone. */
export class RowsByStatus<Status extends string> {
  readonly #statuses: readonly Status[];
  readonly #count: Statement<[Bound], { readonly status: Status; readonly count: number }>;

  constructor(reader: Database, { table, statuses, owner }: CountedTable<Status>) {
    this.#statuses = statuses;
    this.#count = reader.prepare(
      `SELECT status, count(*) AS count FROM ${table} WHERE workspace = @workspace AND (@status IS NULL OR status = @status)
       AND (@owner IS NULL OR ${owner} = @owner) GROUP BY status`,
    );
  }

  counts({ workspace, status, owner }: CountFilter<Status>): Record<Status, number> {
    const counts = Object.fromEntries(this.#statuses.map((each) => [each, 0])) as Record<Status, number>; // one for each of them
    for (const { status: each, count } of this.#count.iterate({ workspace, status: status ?? null, owner: owner ?? null }))
      counts[each] = count;
    return counts;
  }
}
