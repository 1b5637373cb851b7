import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { isFileError } from '../owner-token.ts';

/** What the first lines of every file that our own commands write say; without it a file is somebody else's. */
export const managedMarker = 'Managed by agent-relay';

export const isManaged = (text: string): boolean => text.slice(0, 1024).includes(managedMarker);

/** @throws RelayError `busy` when a file is there that we did not write, and nobody said `--force`. */
export function refuseForeignFile(path: string, existing: string | null, force: boolean): void {
  if (existing === null || force || isManaged(existing)) return;
  throw new RelayError('busy', `${path} was not written by agent-relay and is left as it is; --force takes it over`);
}

/** `null` when there is none. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isFileError(error, 'ENOENT') || isFileError(error, 'ENOTDIR')) return null;
    throw error;
  }
}

/** The whole text or none of it, under the final name, with these rights from the first byte on. */
export function writeWhole(path: string, text: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const half = `${path}.${process.pid}.new`;
  writeFileSync(half, text, { mode, flag: 'w' });
  renameSync(half, path);
}
