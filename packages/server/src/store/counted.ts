/** How many there are of each status, and the cursor at which that was true. */
export interface Counted<Status extends string> {
  readonly counts: Readonly<Record<Status, number>>;
  readonly cursor: number;
}
