import { RelayError } from 'agent-relay-protocol';
import { lastRunningRelay, runningRelayPath } from 'agent-relay-wire/node';
import { type DatabaseLock, lockDatabase } from '../store/sqlite/database-lock.ts';
import { driverErrorOf } from '../store/sqlite/driver.ts';
import { storeErrorOf } from '../store/sqlite/sqlite-error.ts';

/** Takes a database for the caller alone. @throws RelayError `busy` with one sentence while a relay serves it. */
export async function claimDatabase(databasePath: string): Promise<DatabaseLock> {
  const lock = await lockDatabase(databasePath).catch((cause: unknown) => {
    const known = cause instanceof RelayError ? cause : driverErrorOf(cause);
    if (known) throw known;
    const reason = storeErrorOf(cause)?.message ?? (cause instanceof Error ? cause.message : String(cause));
    throw new RelayError('store_unavailable', `The relay cannot take its database ${databasePath}: ${reason}`, { cause });
  });
  if (lock !== null) return lock;
  // It may have come up a moment ago and not have said yet who it is.
  const other = lastRunningRelay(runningRelayPath(databasePath));
  const who = other === null ? '' : ` (process ${other.pid}, ${other.url})`;
  throw new RelayError('busy', `Another relay${who} already serves the database ${databasePath}`);
}
