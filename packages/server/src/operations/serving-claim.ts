import { RelayError } from 'agent-relay-protocol';
import { lastRunningRelay, runningRelayPath } from 'agent-relay-wire/node';
import { engine } from '../engine.ts';
import type { DatabaseLock } from '../store/engine.ts';

/** Takes a database for the caller alone. @throws RelayError `busy` with one sentence while a relay serves it. */
export async function claimDatabase(databasePath: string): Promise<DatabaseLock> {
  const lock = await engine.lock(databasePath);
  if (lock !== null) return lock;
  // It may have come up a moment ago and not have said yet who it is.
  const other = lastRunningRelay(runningRelayPath(databasePath));
  const who = other === null ? '' : ` (process ${other.pid}, ${other.url})`;
  throw new RelayError('busy', `Another relay${who} already serves the database ${databasePath}`);
}
