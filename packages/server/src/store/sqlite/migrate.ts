import { RelayError } from 'agent-relay-protocol';
import type { Database } from 'better-sqlite3';
import { type Migration, migrations } from './migrations/migrations.ts';

/**
 * Brings a database up to this version, one transaction a migration. One that a newer version has written is left as it is, where that version's
 * migrations say that programs of this schema still work with it: an upgrade can be taken back.
 * @throws RelayError `store_unavailable` when they do not.
 */
export function migrate(database: Database, steps: readonly Migration[] = migrations): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  assertKnown(database, 'this database', steps);
  for (let next = version; next < steps.length; next += 1) {
    const { sql, worksFrom = next + 1 } = steps[next] ?? { sql: '' };
    database
      .transaction(() => {
        database.exec(sql);
        rememberOldest(database, worksFrom);
        database.pragma(`user_version = ${next + 1}`);
      })
      .immediate();
  }
}

/** @throws RelayError `store_unavailable` when programs of this schema do not work with a database. */
export function assertKnown(database: Database, what: string, steps: readonly Migration[] = migrations): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version <= steps.length || oldestFor(database) <= steps.length) return;
  throw new RelayError(
    'store_unavailable',
    `A newer Agent Relay has written ${what} (schema ${version}, this one knows ${steps.length}): update Agent Relay or use another file`,
  );
}

const OLDEST = 'oldest_schema';

/** The least schema that a program must know to work with what all migrations so far have made. */
function oldestFor(database: Database): number {
  const hasMeta = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").get() !== undefined;
  const oldest = hasMeta ? database.prepare<[string], number>('SELECT value FROM meta WHERE key = ?').pluck().get(OLDEST) : undefined;
  return oldest ?? Number.POSITIVE_INFINITY;
}

function rememberOldest(database: Database, worksFrom: number): void {
  const put = 'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)';
  database.prepare(put).run(OLDEST, worksFrom);
}
