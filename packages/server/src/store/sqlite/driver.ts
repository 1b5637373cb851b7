import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';

export interface DriverSituation {
  /** Of Node, e.g. `20.20.2`. */
  readonly node: string;
  /** The Node-API version of this Node. */
  readonly nodeApi: number;
  /** Of the installed better-sqlite3; null when none is there. */
  readonly driver: string | null;
}

/** better-sqlite3 13 needs Node-API 10, which Node has since 22.14, and ends an older Node by a segmentation fault. 12 works on those. */
const NODE_API_OF_13 = 10;

/** Why the database's driver cannot be loaded, and what to do about it; null when it can. */
export function driverObstacle({ node, nodeApi, driver }: DriverSituation): string | null {
  if (driver === null) return 'The database driver better-sqlite3 is not installed: install agent-relay-server again';
  if (Number.parseInt(driver, 10) < 13 || nodeApi >= NODE_API_OF_13) return null;
  return `The relay's database needs Node 22.14 or newer with better-sqlite3 ${driver}, and this is Node ${node}: use a newer Node, or install agent-relay-server with Node 20, for which npm takes better-sqlite3 12`;
}

/** Why this Node cannot open a database; null when it can. Loads nothing. */
export function databaseObstacle(): string | null {
  return driverObstacle({ node: process.versions.node, nodeApi: Number(process.versions.napi), driver: installedDriver() });
}

/** @throws RelayError `store_unavailable` on a Node that cannot open a database. */
export function requireDatabaseNode(): void {
  const obstacle = databaseObstacle();
  if (obstacle !== null) throw new RelayError('store_unavailable', obstacle);
}

/** The driver. @throws RelayError `store_unavailable` on a Node that it would end. */
export async function loadSqlite(): Promise<typeof import('better-sqlite3')> {
  requireDatabaseNode();
  return (await import('better-sqlite3')).default;
}

/** What an error of loading the driver's binary means to a person; null when it is none. */
export function driverErrorOf(error: unknown): RelayError | null {
  if (!(error instanceof Error)) return null;
  const code = 'code' in error ? error.code : null;
  // Version 12 looks for its binary and tells where; 13 asks Node for it by name.
  const isMissing =
    error.message.startsWith('Could not locate the bindings file') ||
    (code === 'MODULE_NOT_FOUND' && /better_sqlite3\.node'/u.test(error.message));
  const isOfBinary = isMissing || code === 'ERR_DLOPEN_FAILED';
  if (!isOfBinary) return null;
  const text = `The database driver better-sqlite3 was built for another Node than this one (${process.versions.node}), or not at all: install agent-relay-server again with this Node`;
  return new RelayError('store_unavailable', text, { cause: error });
}

function installedDriver(): string | null {
  try {
    // Not its package.json by name: not every version exports it.
    const entry = createRequire(import.meta.url).resolve('better-sqlite3');
    const { version }: { readonly version?: unknown } = JSON.parse(readFileSync(join(dirname(dirname(entry)), 'package.json'), 'utf8'));
    return typeof version === 'string' ? version : null;
  } catch {
    return null; // whatever is wrong with it, it is not there
  }
}
