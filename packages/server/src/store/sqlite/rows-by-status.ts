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
type Counting<Status> = Statement<[Bound], { readonly status: Status; readonly count: number }>;

/** How many rows of a table there are of each status, counted in an index alone. */
export class RowsByStatus<Status extends string> {
  readonly #statuses: readonly Status[];
  readonly #all: Counting<Status>;
  /** Passes over no other rows: what is open is counted often, and is little of what was. */
  readonly #one: Counting<Status>;

  constructor(reader: Database, { table, statuses, owner }: CountedTable<Status>) {
    this.#statuses = statuses;
    const counting = (which: string): Counting<Status> =>
      reader.prepare(
        `SELECT status, count(*) AS count FROM ${table} WHERE workspace = @workspace ${which} AND (@owner IS NULL OR ${owner} = @owner) GROUP BY status`,
      );
    this.#all = counting('');
    this.#one = counting('AND status = @status');
  }

  counts({ workspace, status, owner }: CountFilter<Status>): Record<Status, number> {
    const counts = Object.fromEntries(this.#statuses.map((each) => [each, 0])) as Record<Status, number>; // one for each of them
    const counting = status === undefined ? this.#all : this.#one;
    for (const { status: each, count } of counting.iterate({ workspace, status: status ?? null, owner: owner ?? null }))
      counts[each] = count;
    return counts;
  }
}
