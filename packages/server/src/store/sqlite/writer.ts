import { RelayError } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import { Histogram } from '../../domain/histogram.ts';
import { sqliteCode, storeErrorOf } from './sqlite-error.ts';

interface Pending {
  readonly run: () => unknown;
  /** Refused by another program's lock at once. */
  readonly isImpatient: boolean;
  readonly onChanged: (() => void) | null;
  // Method signatures: each entry has its own result type, which only its own `run` produces.
  resolve(value: unknown): void;
  reject(error: unknown): void;
  result: unknown;
  refusal: RelayError | null;
}

/** How often a turn that another program's lock keeps out tries again. */
const LOCK_RETRY_MS = 20;
/** A lock that nobody met for so long is another one: it is waited for anew. */
const LOCK_FORGOTTEN_MS = 5_000;

/** From so many operations on, a turn waits for one more before it is written. */
const BUSY = 8;

const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const COMMIT_OPERATIONS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024];

export interface WriterHooks {
  /** Asked as a write is asked for: what is to be done in its transaction once it has changed something, in the name of whoever asks. */
  asker?(): (() => void) | null;
  /** All operations of the turn have run, the commit has not: what was gathered for one row is written now. */
  beforeCommit(): void;
  committed(): void;
  /** Nothing of the turn happened: whatever memory was told during it must be forgotten. */
  rolledBack(): void;
}

/**
 * The one writer. Operations asked for in one turn of the event loop run one after another in one transaction and share its commit;
 * each is answered only when the commit is on disk.
 *
 * An operation decides first and writes then: a RelayError it throws has written nothing and refuses that operation alone. Any other
 * error rolls the turn back; if the database itself is at fault all of them are rejected, else only the faulty one is and the rest run
 * again. Another program's lock holds up nobody but writers: their turn is tried again for so long, and from then on each is refused at
 * once until the lock is gone. So an operation must have no effect outside the database that the `rolledBack` hook cannot undo, and may run twice.
 */
export class Writer {
  readonly commitSeconds = new Histogram(COMMIT_SECONDS);
  readonly commitOperations = new Histogram(COMMIT_OPERATIONS);
  failedCommits = 0;
  readonly #database: Database;
  readonly #hooks: WriterHooks;
  readonly #busyTimeoutMs: number;
  readonly #begin: Statement<[]>;
  readonly #commit: Statement<[]>;
  readonly #changes: Statement<[], number>;
  #queue: Pending[] = [];
  #scheduled = false;
  #hasWaited = false;
  #isClosed = false;
  /** A turn was rolled back, and memory has not been put right yet. */
  #isTainted = false;
  /** Since when, and when last, another program's lock kept us out. */
  #lock: { readonly since: number; metAt: number } | null = null;

  /** The connection must not wait for locks by itself: that would be the whole event loop's wait. */
  constructor(database: Database, busyTimeoutMs: number, hooks: WriterHooks) {
    this.#database = database;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#hooks = hooks;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#changes = database.prepare<[], number>('SELECT total_changes()').pluck();
  }

  /** Runs `run` in the next shared transaction; resolves with its result once that is durable. */
  write<Result>(run: () => Result, { isImpatient = false }: { readonly isImpatient?: boolean } = {}): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new RelayError('store_unavailable', 'The store is closed'));
    return new Promise((resolve, reject) => {
      const onChanged = this.#hooks.asker?.() ?? null;
      this.#queue.push({ run, isImpatient, onChanged, resolve, reject, result: undefined, refusal: null });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // The check phase comes after every socket that was readable in this turn has been read: they all share one flush.
      setImmediate(this.#flush);
    });
  }

  /** Writes what is in hand and takes no more. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // The last turn is worth a wait: nothing else goes on.
    this.#database.pragma(`busy_timeout = ${Math.trunc(this.#busyTimeoutMs)}`);
    this.#flush();
  }

  readonly #flush = (): void => {
    // A busy turn is followed by a busier one: reading the sockets once more costs less than a commit of its own for what they bring.
    if (this.#queue.length >= BUSY && !this.#hasWaited && !this.#isClosed) {
      this.#hasWaited = true;
      setImmediate(this.#flush);
      return;
    }
    this.#hasWaited = false;
    this.#scheduled = false;
    const batch = this.#queue;
    this.#queue = [];
    if (batch.length > 0) this.#writeTogether(batch);
  };

  #writeTogether(batch: readonly Pending[]): void {
    let running: Pending | null = null;
    const startedAt = performance.now();
    try {
      if (this.#isTainted) this.#forget();
      if (!this.#hasBegun(batch)) return;
      for (const operation of batch) {
        running = operation;
        this.#run(operation);
      }
      running = null;
      this.#hooks.beforeCommit();
      this.#commit.run();
    } catch (error) {
      this.failedCommits += 1;
      this.#recover(batch, running, error);
      return;
    }
    this.commitSeconds.observe((performance.now() - startedAt) / 1000);
    this.commitOperations.observe(batch.length);
    this.#hooks.committed();
    for (const operation of batch) {
      if (operation.refusal) operation.reject(operation.refusal);
      else operation.resolve(operation.result);
    }
  }

  #hasBegun(batch: readonly Pending[]): boolean {
    try {
      this.#begin.run();
      this.#lock = null;
      return true;
    } catch (error) {
      if (!sqliteCode(error)?.startsWith('SQLITE_BUSY')) throw error;
      this.#meetLock(batch, error);
      return false;
    }
  }

  /** Nothing of the turn has happened yet. */
  #meetLock(batch: readonly Pending[], error: unknown): void {
    const now = performance.now();
    if (this.#lock === null || now - this.#lock.metAt > LOCK_FORGOTTEN_MS) this.#lock = { since: now, metAt: now };
    this.#lock.metAt = now;
    if (this.#isClosed || now - this.#lock.since >= this.#busyTimeoutMs) {
      this.failedCommits += 1;
      refuse(batch, error);
      return;
    }
    refuse(
      batch.filter(({ isImpatient }) => isImpatient),
      error,
    );
    this.#queue = [...batch.filter(({ isImpatient }) => !isImpatient), ...this.#queue];
    this.#scheduled = true;
    this.#hasWaited = true;
    setTimeout(this.#flush, LOCK_RETRY_MS);
  }

  #run(operation: Pending): void {
    operation.refusal = null;
    try {
      const { onChanged } = operation;
      const before = onChanged && this.#changes.get();
      operation.result = operation.run();
      if (onChanged && this.#changes.get() !== before) onChanged();
    } catch (error) {
      // SQLite ends a transaction by itself on some errors; going on would write each later statement alone.
      if (!(error instanceof RelayError) || !this.#database.inTransaction) throw error;
      operation.refusal = error;
    }
  }

  #recover(batch: readonly Pending[], faulty: Pending | null, error: unknown): void {
    let fault = storeErrorOf(error);
    this.#isTainted = true;
    try {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      this.#forget();
    } catch (second) {
      // Memory is put right before the next turn then; until it is, nothing is written.
      fault ??=
        storeErrorOf(second) ?? new RelayError('store_unavailable', 'The database failed while a write was undone', { cause: second });
    }
    if (fault || !faulty) {
      for (const operation of batch) operation.reject(fault ?? error);
      return;
    }
    faulty.reject(error);
    const others = batch.filter((operation) => operation !== faulty);
    if (others.length > 0) this.#writeTogether(others);
  }

  #forget(): void {
    this.#hooks.rolledBack();
    this.#isTainted = false;
  }
}

function refuse(batch: readonly Pending[], error: unknown): void {
  for (const operation of batch) operation.reject(storeErrorOf(error) ?? error);
}
