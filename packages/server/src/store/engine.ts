import type { SkippedNumbers, Store } from './store.ts';

/** How far a database has come in what it numbers. */
export interface Numbering {
  readonly generation: string;
  /** The last number of the log. */
  readonly head: number;
  /** Everything up to here may have been pruned. */
  readonly floor: number;
  readonly skipped: readonly SkippedNumbers[];
  /** The last numbers of the tables that count by themselves. */
  readonly counters: Counters;
}

export interface Counters {
  readonly activity: number;
  readonly callbacks: number;
}

/** What of it a restore sets; the rest follows from what is stored. */
export type NewNumbering = Pick<Numbering, 'generation' | 'skipped' | 'counters'>;

export interface DatabaseLock {
  /** Idempotent. */
  release(): void;
}

/** What an engine does with whole databases, by their paths. What it needs for that is loaded when it is asked. */
export interface Engine {
  /** Endings of the files that belong to a database beside its own. */
  readonly companions: readonly string[];
  /** Why this Node cannot open a database, and what to do about it; null when it can. Loads nothing. */
  obstacle(): string | null;
  /** Whether this is the failure of loading the engine itself, which says nothing about any database. */
  isObstacle(error: unknown): boolean;
  /** @throws RelayError `store_unavailable`, `store_full`. */
  open(path: string): Promise<Store>;
  /** What is not whole in a database, in sentences. @throws RelayError `store_unavailable`. */
  check(path: string): Promise<readonly string[]>;
  /**
   * Takes a database for this process for as long as it lives; `null` while another has it.
   * @throws RelayError `store_unavailable`, `store_full`.
   */
  lock(path: string): Promise<DatabaseLock | null>;
  /** Copies what is committed at this moment into `target`, an empty file of ours. Writers of the source go on meanwhile. */
  copy(source: string, target: string): Promise<void>;
  /** Reads every page of a copy that nobody uses. @throws RelayError `store_unavailable` when it is damaged, not ours, or a newer version's. */
  inspect(path: string): Promise<Numbering>;
  /** Makes the copy a log of its own: cursors of the one it was copied from are answered with a reset from here on. */
  beginGeneration(path: string, numbering: NewNumbering): Promise<void>;
  /**
   * Makes sure that nobody uses a database, brings what lies beside it into it, and says how far it has come; null for one that cannot be read.
   * @throws RelayError `busy` when another program has it open.
   */
  settleUnused(path: string): Promise<Numbering | null>;
}
