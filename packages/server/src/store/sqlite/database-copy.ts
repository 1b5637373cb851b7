import { open } from 'node:fs/promises';
import { RelayError } from 'agent-relay-protocol';
import type { Database, Options } from 'better-sqlite3';
import type { NewNumbering, Numbering } from '../engine.ts';
import { driverErrorOf, loadSqlite } from './driver.ts';
import { assertKnown } from './migrate.ts';
import { numberingOf, writeNumbering } from './numbering.ts';
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
    await database.backup(target, { progress: () => ALL_PAGES }).catch((error: unknown) => {
      throw explained(error, `copying ${source} to ${target}`);
    });
  });
  // One file that needs no journal beside it, until a relay opens it.
  await withDatabase(target, { fileMustExist: true }, (database) => void database.pragma('journal_mode = DELETE'));
}

/**
 * Reads every page of a file that nobody uses.
 * @throws RelayError `store_unavailable` when it is damaged, no database of ours, or a newer version's.
 */
export function inspectCopy(path: string): Promise<Numbering> {
  return withDatabase(path, { readonly: true, fileMustExist: true }, (database) => {
    requireOurs(database, path);
    assertKnown(database, path);
    const faults = database.prepare<[], string>('PRAGMA integrity_check').pluck().all();
    if (faults.length !== 1 || faults[0] !== 'ok') {
      throw new RelayError('store_unavailable', `${path} is damaged: ${faults.slice(0, 3).join('; ')}`);
    }
    return numberingOf(database);
  });
}

/** Makes the file a log of its own: cursors of the one it was copied from are answered with a reset from here on. */
export function beginGeneration(path: string, numbering: NewNumbering): Promise<void> {
  return withDatabase(path, { fileMustExist: true }, (database) => {
    database.pragma('synchronous = FULL');
    database.transaction(() => writeNumbering(database, numbering)).immediate();
  });
}

/**
 * Makes sure that nobody uses a database, brings its journal into it, and says how far it has come.
 * One that is damaged, or none of ours, is left as it is and says nothing: a reason to restore is no reason to refuse.
 * @throws RelayError `busy` when another program has it open.
 */
export async function settleUnused(path: string): Promise<Numbering | null> {
  // SQLite removes the journal beside a file that it cannot read at all.
  if (!(await looksLikeSqlite(path))) return null;
  try {
    return await withDatabase(path, { fileMustExist: true, timeout: 500 }, (database) => {
      // In this mode the first read fails while anybody else is connected.
      database.pragma('locking_mode = EXCLUSIVE');
      database.exec('BEGIN IMMEDIATE; COMMIT');
      database.pragma('wal_checkpoint(TRUNCATE)');
      return isOurs(database) ? numberingOf(database) : null;
    });
  } catch (error) {
    const code = sqliteCode(error instanceof RelayError ? error.cause : error);
    if (code?.startsWith('SQLITE_BUSY') || code?.startsWith('SQLITE_LOCKED')) {
      throw new RelayError('busy', `Another program uses ${path}: stop it first`, { cause: error });
    }
    if (code === null) throw error;
    return null;
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

/** @throws RelayError `store_unavailable`. */
function requireOurs(database: Database, path: string): number {
  if (isOurs(database)) return versionOf(database);
  throw new RelayError('store_unavailable', `${path} is no database of Agent Relay`);
}

function isOurs(database: Database): boolean {
  const tables = database
    .prepare<[], number>("SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'messages', 'events')")
    .pluck()
    .get();
  return versionOf(database) > 0 && tables === 3;
}

const versionOf = (database: Database): number => Number(database.pragma('user_version', { simple: true }));

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
    throw explained(error, path);
  } finally {
    database?.close();
  }
}

function explained(error: unknown, where: string): unknown {
  const unusable = driverErrorOf(error);
  if (unusable) return unusable;
  const known = error instanceof RelayError ? null : storeErrorOf(error);
  return known ? new RelayError(known.code, `${known.message} (${where})`, { cause: error }) : error;
}
