import { closeSync, existsSync, openSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseLock } from '../engine.ts';
import { loadSqlite } from './driver.ts';
import { sqliteCode } from './sqlite-error.ts';

/**
 * Takes a database for one program for as long as that lives; `null` while another has it. Held by the operating system through SQLite, on an
 * empty file beside the database: it goes with the process, however that ends, and binds processes that cannot see each other's ids.
 * @throws RelayError `store_unavailable` on a Node that cannot load the driver, or the file system's error when the file cannot be made.
 */
export async function lockDatabase(databasePath: string): Promise<DatabaseLock | null> {
  const BetterSqlite3 = await loadSqlite();
  const path = lockPathOf(databasePath);
  // Made by us first: SQLite would let everybody on this machine read it.
  closeSync(openSync(path, 'a', 0o600));
  const database = new BetterSqlite3(path, { timeout: 0 });
  try {
    // Nothing is written, so that a full disk is no obstacle; without a journal beside it nothing is left behind either.
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (sqliteCode(error)?.startsWith('SQLITE_BUSY') === true) return null;
    throw error;
  }
  return { release: () => void database.close() };
}

/** Beside the file itself: two names of one database must not be two locks. */
function lockPathOf(databasePath: string): string {
  if (existsSync(databasePath)) return `${realpathSync(databasePath)}.lock`;
  return join(realpathSync(dirname(databasePath)), `${basename(databasePath)}.lock`);
}
