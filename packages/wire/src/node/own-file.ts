import type { BigIntStats, Stats } from 'node:fs';
import { RelayError } from 'agent-relay-protocol';

/** @throws RelayError `forbidden` for a file that another user than this process's one (or root) owns, or may write: it says what runs as this user. */
export function assertOwnFile(path: string, { uid, mode }: Pick<Stats | BigIntStats, 'uid' | 'mode'>): void {
  const own = process.getuid?.();
  if (own === undefined) return;
  if (Number(uid) !== own && Number(uid) !== 0)
    throw new RelayError('forbidden', `${path} belongs to another user: it is followed only where it is this user's own`);
  if ((Number(mode) & 0o022) !== 0) throw new RelayError('forbidden', `${path} can be written by other users: chmod go-w ${path}`);
}
