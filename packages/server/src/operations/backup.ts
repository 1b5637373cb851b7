import { existsSync, linkSync, renameSync, statSync } from 'node:fs';
import { RelayError } from 'agent-relay-protocol';
import { engine } from '../engine.ts';
import { isFileError } from '../owner-token.ts';
import { flush, withHalfFile } from './half-file.ts';

export interface BackupResult {
  readonly path: string;
  readonly sizeBytes: number;
  /** The last number of the log that is in it. */
  readonly head: number;
}

/**
 * Copies a database that may be in use: the copy holds what was committed at one moment, is checked, and appears under its name only then.
 * @throws RelayError `not_found` without a database, `busy` when the file exists, `store_unavailable` when the copy is not whole.
 */
export async function backupDatabase(options: {
  readonly databasePath: string;
  readonly file: string;
  readonly force: boolean;
}): Promise<BackupResult> {
  const { databasePath, file, force } = options;
  if (!existsSync(databasePath)) throw new RelayError('not_found', `There is no database ${databasePath}`);
  if (!force) refuseExisting(file);
  return await withHalfFile(file, async (half) => {
    await engine.copy(databasePath, half);
    const { head } = await engine.inspect(half);
    flush(half);
    publish(half, file, force);
    return { path: file, sizeBytes: statSync(file).size, head };
  });
}

function refuseExisting(file: string): void {
  if (existsSync(file)) throw new RelayError('busy', `${file} is there already; --force writes over it`);
}

/** A link fails where a file is; a rename would silently replace what appeared meanwhile. */
function publish(half: string, file: string, force: boolean): void {
  try {
    if (!force) linkSync(half, file);
  } catch (error) {
    // Some file systems have no links; there it is a rename after all.
    if (isFileError(error, 'EEXIST')) refuseExisting(file);
  }
  if (force || !existsSync(file)) renameSync(half, file);
}
