import { RelayError } from 'agent-relay-protocol';
import type { Database } from 'better-sqlite3';
import { migrations } from './migrations/migrations.ts';

/**
 * Brings a database up to this version, one transaction a migration.
 * @throws RelayError `store_unavailable` when a newer version has written it.
 */
export function migrate(database: Database, steps: readonly string[] = migrations): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version > steps.length) {
    throw new RelayError(
      'store_unavailable',
      `A newer Agent Relay has written this database (schema ${version}, this one knows ${steps.length}): update Agent Relay or use another file`,
    );
  }
  for (let next = version; next < steps.length; next += 1) {
    const sql = steps[next] ?? '';
    database
      .transaction(() => {
        database.exec(sql);
        database.pragma(`user_version = ${next + 1}`);
      })
      .immediate();
  }
}
