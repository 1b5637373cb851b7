import { randomUUID } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { RelayError } from 'agent-relay-protocol';
import { isFileError } from '../owner-token.ts';
import { runningRelayPath } from '../paths.ts';
import { readRunningRelay } from '../running-relay.ts';
import { beginGeneration, inspectCopy, settleUnused } from '../store/sqlite/database-copy.ts';
import { createPrivate, flush } from './backup.ts';

export interface RestoreResult {
  /** Where the database that was there is kept; `null` when there was none. */
  readonly previous: string | null;
  readonly head: number;
}

const besideDatabase = ['', '-wal', '-shm'];

/**
 * Puts a backup in the database's place. The backup is read only; the database that was there is moved aside, never changed or deleted.
 * The restored log is of a new generation: numbers that were given out after the backup mean something else now.
 * @throws RelayError `busy` while a relay or another program uses the database, `not_found` without the backup,
 * `store_unavailable` for a file that is no whole database of ours or of a newer version.
 */
export async function restoreDatabase(options: {
  readonly databasePath: string;
  readonly file: string;
  readonly now: Date;
}): Promise<RestoreResult> {
  const { databasePath, file, now } = options;
  await refuseRunning(databasePath);
  if (!existsSync(file)) throw new RelayError('not_found', `There is no file ${file}`);
  const half = `${databasePath}.${process.pid}.part`;
  try {
    createPrivate(half);
    copyFileSync(file, half);
    // A copy takes the rights of what it was made from.
    chmodSync(half, 0o600);
    const { head } = await inspectCopy(half);
    await beginGeneration(half, randomUUID());
    flush(half);
    if (existsSync(databasePath)) await settleUnused(databasePath);
    // A relay may have been started while the copy was checked.
    await refuseRunning(databasePath);
    return { previous: exchange(databasePath, half, now), head };
  } finally {
    for (const ending of [...besideDatabase, '-journal']) rmSync(`${half}${ending}`, { force: true });
  }
}

async function refuseRunning(databasePath: string): Promise<void> {
  const running = await readRunningRelay(runningRelayPath(databasePath));
  if (running === null) return;
  throw new RelayError('busy', `A relay (process ${running.pid}, ${running.url}) serves ${databasePath}: stop it first`);
}

/**
 * Puts the copy where the database is; at no moment is there none. A journal goes aside with the database it belongs to, also one that was
 * left alone: SQLite would apply it to whatever lies beside it.
 */
function exchange(databasePath: string, half: string, now: Date): string | null {
  const stamp = now.toISOString().replace(/[:.]/gu, '-');
  const aside = `${databasePath}.before-restore-${stamp}`;
  const kept = besideDatabase.filter((ending) => existsSync(`${databasePath}${ending}`));
  for (const ending of kept) if (ending !== '') renameSync(`${databasePath}${ending}`, `${aside}${ending}`);
  if (kept.includes('')) keepAside(databasePath, aside);
  renameSync(half, databasePath);
  return kept.length === 0 ? null : aside;
}

function keepAside(path: string, aside: string): void {
  try {
    linkSync(path, aside);
  } catch (error) {
    if (isFileError(error, 'EEXIST')) throw error;
    // Some file systems have no links.
    renameSync(path, aside);
  }
}
