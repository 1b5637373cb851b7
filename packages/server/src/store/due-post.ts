/** A post to a system outside whose turn it is. */
export interface DuePost {
  readonly id: number;
  /** What it tells of: posts about the same go in order, one at a time. */
  readonly subjectId: number;
  /** Made so far. */
  readonly attempts: number;
  /** Until when it is tried. */
  readonly deadlineAt: number;
  /** What is sent, as it was written with the change it tells of. */
  readonly body: string;
}

/** What became of an attempt; `pending` tries again at `nextAttemptAt`. */
export interface PostOutcome {
  readonly status: 'pending' | 'delivered' | 'dead';
  readonly nextAttemptAt: number | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly at: number;
}
