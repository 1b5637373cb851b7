/** So much text one answer of a list carries, however many rows were asked for; the rest is on the next page. */
export const MAX_PAGE_CHARACTERS = 256 * 1024;

interface PageRows<Row> {
  readonly rows: readonly Row[];
  /** More follow after the last of these. */
  readonly isCut: boolean;
}

/**
 * The first `limit` rows, or as many of them as one answer may carry, and at least one. Reads no row beyond the one that is too many: give it
 * `iterate()` of a statement whose own limit is above `limit`.
 */
export function takePage<Row>(rows: Iterable<Row>, limit: number, charactersOf: (row: Row) => number): PageRows<Row> {
  const taken: Row[] = [];
  let characters = 0;
  for (const row of rows) {
    characters += charactersOf(row);
    if (taken.length === limit || (characters > MAX_PAGE_CHARACTERS && taken.length > 0)) return { rows: taken, isCut: true };
    taken.push(row);
  }
  return { rows: taken, isCut: false };
}

export const recordCharacters = ({ record }: { readonly record: string }): number => record.length;
