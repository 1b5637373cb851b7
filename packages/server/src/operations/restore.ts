import { randomUUID } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, linkSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { runningRelayPath } from 'agent-relay-wire/node';
import { engine } from '../engine.ts';
import { isFileError, makeFolder } from '../owner-token.ts';
import { readRunningRelay } from '../running-relay.ts';
import { type Continuation, continueAbove } from './continue-above.ts';
import { flush, withHalfFile, writeFailure } from './half-file.ts';
import { claimDatabase } from './serving-claim.ts';

export interface RestoreResult extends Pick<Continuation, 'next' | 'basis'> {
  /** Where the database that was there is kept; `null` when there was none. */
  readonly previous: string | null;
  /** The last number of the log that is in the backup. */
  readonly head: number;
}

export interface RestoreOptions {
  readonly databasePath: string;
  readonly file: string;
  /** The highest number that was given out, where the person knows it. */
  readonly continueAbove?: number | undefined;
  readonly now: Date;
}

const besideDatabase = ['', ...engine.companions];

/**
 * Puts a backup in the database's place. The backup is read only; the database that was there is moved aside, never changed or deleted.
 * The restored log is of a new generation and goes on above every number that the one before has given out: what the database that was there
 * says, else `continueAbove`, else far above the backup.
 * @throws RelayError `busy` while a relay or another program uses the database, `not_found` without the backup, `validation_failed` for a
 * `continueAbove` that is too low, `store_full` when the disk is, `store_unavailable` for a file that is no whole database of ours or of a
 * newer version.
 */
export async function restoreDatabase(options: RestoreOptions): Promise<RestoreResult> {
  const { databasePath, file } = options;
  await refuseRunning(databasePath);
  if (!existsSync(file)) throw new RelayError('not_found', `There is no file ${file}`);
  prepareFolder(databasePath);
  // No relay can be started on it meanwhile.
  const lock = await claimDatabase(databasePath);
  try {
    return await replaceDatabase(options);
  } finally {
    lock.release();
  }
}

async function replaceDatabase({ databasePath, file, now, continueAbove: asked }: RestoreOptions): Promise<RestoreResult> {
  return await withHalfFile(databasePath, async (half) => {
    copyPrivate(file, half);
    const backup = await engine.inspect(half);
    const replaced = existsSync(databasePath) ? await engine.settleUnused(databasePath) : null;
    const question = { backup, replaced, asked: asked ?? null, generation: randomUUID() };
    const { numbering, next, basis } = continueAbove(question);
    await engine.beginGeneration(half, numbering);
    flush(half);
    return { previous: exchange(databasePath, half, now), head: backup.head, next, basis };
  });
}

/** On a new machine nothing has been there yet. */
function prepareFolder(databasePath: string): void {
  try {
    makeFolder(dirname(databasePath));
  } catch (error) {
    throw writeFailure(error);
  }
}

function copyPrivate(file: string, half: string): void {
  try {
    copyFileSync(file, half);
    // A copy takes the rights of what it was made from.
    chmodSync(half, 0o600);
  } catch (error) {
    throw writeFailure(error);
  }
}

async function refuseRunning(databasePath: string): Promise<void> {
  const running = await readRunningRelay(runningRelayPath(databasePath));
  if (running === null) return;
  throw new RelayError('busy', `A relay (process ${running.pid}, ${running.url}) serves ${databasePath}: stop it first`);
}

/**
 * Puts the copy where the database is; at no moment is there none. A journal goes aside with the database it belongs to, also one that was
 * left alone: an engine would apply it to whatever lies beside it.
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
