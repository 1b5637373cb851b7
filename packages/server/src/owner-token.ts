import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readOwnerToken } from 'agent-relay-wire/node';

/*
 * The owner's credential: a file that only the user who runs the relay can read. The relay makes it at its first start; our own commands
 * and the local node read it.
 */

/** The credential, made when there is none. Two relays that start at once agree on one. */
export function ensureOwnerToken(path: string): string {
  makeFolder(dirname(path));
  const existing = readOwnerToken(path);
  if (existing !== null) {
    // A copy or a careless umask may have opened it to others.
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
    return existing;
  }
  const token = `owner_${randomBytes(32).toString('base64url')}`;
  try {
    writeFileSync(path, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return token;
  } catch (error) {
    const other = isFileError(error, 'EEXIST') ? readOwnerToken(path) : null;
    if (other === null) throw error;
    return other;
  }
}

export const isFileError = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;

/** One step at a time: Node's own recursive way never comes back from below `/proc`, where no folder can be made. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!isFileError(error, 'EEXIST')) throw error;
  }
}
