import { messageOf, RelayError } from 'agent-relay-protocol';
import type { DatabaseLock, Engine } from '../engine.ts';
import { databaseObstacle, driverErrorOf } from './driver.ts';
import { storeErrorOf } from './sqlite-error.ts';

/** One file and its journal. Imported by every command: what costs time to load comes with the question that needs it. */
export const sqliteEngine: Engine = {
  companions: ['-journal', '-wal', '-shm'],
  obstacle: databaseObstacle,
  isObstacle: (error) => driverErrorOf(error instanceof RelayError ? error.cause : error) !== null,
  async open(path) {
    const { SqliteStore } = await import('./sqlite-store.ts');
    return SqliteStore.open({ path });
  },
  async check(path) {
    const { SqliteStore } = await import('./sqlite-store.ts');
    const store = await SqliteStore.open({ path });
    try {
      return await store.integrityCheck();
    } finally {
      await store.close();
    }
  },
  async lock(path): Promise<DatabaseLock | null> {
    const { lockDatabase } = await import('./database-lock.ts');
    try {
      return await lockDatabase(path);
    } catch (cause) {
      const known = cause instanceof RelayError ? cause : driverErrorOf(cause);
      if (known) throw known;
      const reason = storeErrorOf(cause)?.message ?? messageOf(cause);
      throw new RelayError('store_unavailable', `The relay cannot take its database ${path}: ${reason}`, { cause });
    }
  },
  copy: async (source, target) => (await import('./database-copy.ts')).copyDatabase(source, target),
  inspect: async (path) => (await import('./database-copy.ts')).inspectCopy(path),
  beginGeneration: async (path, numbering) => (await import('./database-copy.ts')).beginGeneration(path, numbering),
  settleUnused: async (path) => (await import('./database-copy.ts')).settleUnused(path),
};
