import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import type { Database } from 'better-sqlite3';
import { driverErrorOf, loadSqlite } from './driver.ts';
import { migrate } from './migrate.ts';
import { storeErrorOf } from './sqlite-error.ts';

export interface SqliteOptions {
  readonly path: string;
  /** How long writes wait for another program's lock before they are refused; nothing else waits with them. Default 1000, and 5000 while opening. */
  readonly busyTimeoutMs?: number | undefined;
  /** Largest size in pages of 4 KiB; beyond it writes fail with `store_full`. */
  readonly maxPageCount?: number | undefined;
}

export interface Connections {
  /** Writes, inside `Writer.write` only. */
  readonly database: Database;
  /** Sees committed data only. */
  readonly reader: Database;
}

export const DEFAULT_BUSY_TIMEOUT_MS = 1_000;
const OPENING_TIMEOUT_MS = 5_000;
/** Readers of a write-ahead log meet a lock only for the moment that another program recovers or removes it. */
const READING_TIMEOUT_MS = 50;

/**
 * Opens, migrates and makes the two connections.
 * @throws RelayError `store_unavailable` naming the file and what is wrong with it.
 */
export async function openConnections({
  path,
  busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS,
  maxPageCount,
}: SqliteOptions): Promise<Connections> {
  const BetterSqlite3 = await loadSqlite();
  const opened: Database[] = [];
  try {
    mkdirSync(dirname(path), { recursive: true });
    makePrivate(path);
    const database = new BetterSqlite3(path, { timeout: Math.max(busyTimeoutMs, OPENING_TIMEOUT_MS) });
    opened.push(database);
    database.pragma('journal_mode = WAL');
    // FULL: the log is flushed at every commit, so what was acknowledged survives a power loss.
    database.pragma('synchronous = FULL');
    database.pragma('cache_size = -65536');
    database.pragma('temp_store = MEMORY');
    // A few thousand pages between checkpoints: each costs two flushes of the whole file beside the log's own.
    database.pragma('wal_autocheckpoint = 4000');
    database.pragma('journal_size_limit = 67108864');
    migrate(database);
    // SQLite would wait inside the statement, and the event loop with it: the writer tries again by itself.
    database.pragma('busy_timeout = 0');
    if (maxPageCount !== undefined) database.pragma(`max_page_count = ${Math.trunc(maxPageCount)}`);
    const reader = new BetterSqlite3(path, { timeout: Math.min(busyTimeoutMs, READING_TIMEOUT_MS), readonly: true });
    opened.push(reader);
    reader.pragma('cache_size = -16384');
    return { database, reader };
  } catch (error) {
    for (const connection of opened) connection.close();
    throw explain(error, path);
  }
}

/** Made by us first: SQLite would let everybody on this machine read it. What it writes beside it takes its rights. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch {
    // It is there already, or SQLite says better why it cannot be.
  }
}

function explain(error: unknown, path: string): unknown {
  if (error instanceof RelayError) return error;
  const unusable = driverErrorOf(error);
  if (unusable) return unusable;
  const known = storeErrorOf(error);
  if (known) return new RelayError(known.code, `${known.message} (${path})`, { cause: error });
  const isFileError = error instanceof Error && ('syscall' in error || error instanceof TypeError);
  return isFileError
    ? new RelayError('store_unavailable', `The database file cannot be opened (${path}): ${error.message}`, { cause: error })
    : error;
}
