import { open } from 'node:fs/promises';
import { RelayError } from 'agent-relay-protocol';
import type { Database, Options } from 'better-sqlite3';
import { loadSqlite } from './driver.ts';
import { migrations } from './migrations/migrations.ts';
import { sqliteCode, storeErrorOf } from './sqlite-error.ts';

/*
 * Whole database files: copied while they are in use, checked, stamped. Nothing here writes to a database that a relay serves.
 */

/** More than any database has: all in one step. A copy made in several begins anew whenever another program commits in between. */
const ALL_PAGES = 0x7fff_ffff;

/** Copies what is committed at this moment into `target`, an empty file of ours. Writers of the source go on meanwhile. */
export async function copyDatabase(source: string, target: string): Promise<void> {
  await withDatabase(source, { readonly: true, fileMustExist: true }, async (database) => {
    requireOurs(database, source);
    await database.backup(target, { progress: () => ALL_PAGES });
  });
  // One file that needs no journal beside it, until a relay opens it.
  await withDatabase(target, { fileMustExist: true }, (database) => void database.pragma('journal_mode = DELETE'));
}

/**
 * Reads every page of a file that nobody uses.
 * @throws RelayError `store_unavailable` when it is damaged, no database of ours, or a newer version's.
 */
export function inspectCopy(path: string): Promise<{ readonly head: number }> {
  return withDatabase(path, { readonly: true, fileMustExist: true }, (database) => {
    const version = requireOurs(database, path);
    if (version > migrations.length) {
      const known = `schema ${version}, this one knows ${migrations.length}`;
      throw new RelayError('store_unavailable', `A newer Agent Relay has written ${path} (${known}): update Agent Relay first`);
    }
    const faults = database.prepare<[], string>('PRAGMA integrity_check').pluck().all();
    if (faults.length !== 1 || faults[0] !== 'ok') {
      throw new RelayError('store_unavailable', `${path} is damaged: ${faults.slice(0, 3).join('; ')}`);
    }
    const head = `SELECT max((SELECT ifnull(max(id), 0) FROM messages), (SELECT ifnull(max(seq), 0) FROM events),
      (SELECT ifnull(max(value), 0) FROM meta WHERE key = 'pruned_through'))`;
    return { head: database.prepare<[], number>(head).pluck().get() ?? 0 };
  });
}

/** Cursors of the log as it was until now are answered with a reset from here on. */
export function beginGeneration(path: string, generation: string): Promise<void> {
  return withDatabase(path, { fileMustExist: true }, (database) => {
    database.pragma('synchronous = FULL');
    database.prepare("UPDATE meta SET value = ? WHERE key = 'generation'").run(generation);
  });
}

/**
 * Makes sure that nobody uses a database, and brings its journal into it.
 * One that is damaged is left as it is: a reason to restore is no reason to refuse.
 * @throws RelayError `busy` when another program has it open.
 */
export async function settleUnused(path: string): Promise<void> {
  // SQLite removes the journal beside a file that it cannot read at all.
  if (!(await looksLikeSqlite(path))) return;
  try {
    await withDatabase(path, { fileMustExist: true, timeout: 500 }, (database) => {
      // In this mode the first read fails while anybody else is connected.
      database.pragma('locking_mode = EXCLUSIVE');
      database.exec('BEGIN IMMEDIATE; COMMIT');
      database.pragma('wal_checkpoint(TRUNCATE)');
    });
  } catch (error) {
    const code = sqliteCode(error instanceof RelayError ? error.cause : error);
    if (code?.startsWith('SQLITE_BUSY') || code?.startsWith('SQLITE_LOCKED')) {
      throw new RelayError('busy', `Another program uses ${path}: stop it first`, { cause: error });
    }
    if (code === null) throw error;
  }
}

async function looksLikeSqlite(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(16) });
    return buffer.toString('latin1', 0, bytesRead) === 'SQLite format 3\0';
  } finally {
    await file.close();
  }
}

function requireOurs(database: Database, path: string): number {
  const version = Number(database.pragma('user_version', { simple: true }));
  const tables = database
    .prepare<[], number>("SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'messages', 'events')")
    .pluck()
    .get();
  if (version > 0 && tables === 3) return version;
  throw new RelayError('store_unavailable', `${path} is no database of Agent Relay`);
}

async function withDatabase<Result>(
  path: string,
  options: Options,
  work: (database: Database) => Result | Promise<Result>,
): Promise<Result> {
  const BetterSqlite3 = await loadSqlite();
  let database: Database | undefined;
  try {
    database = new BetterSqlite3(path, options);
    return await work(database);
  } catch (error) {
    const known = error instanceof RelayError ? null : storeErrorOf(error);
    throw known ? new RelayError(known.code, `${known.message} (${path})`, { cause: error }) : error;
  } finally {
    database?.close();
  }
}
