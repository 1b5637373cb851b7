import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { pipeOfSecret } from 'agent-relay-wire/node';
import { relaySocketPath } from './paths.ts';

/** What decides where a relay listens for programs of its own user. */
export interface DoorSituation {
  readonly platform: NodeJS.Platform;
  readonly databasePath: string;
  /** What only the owner can read: on Windows it names the pipe. */
  readonly secret: string;
  readonly temporaryFolder: string;
  readonly uid: number;
}

/** One place to try. */
export type DoorPlace =
  | { readonly type: 'pipe'; readonly path: string }
  /** `privateFolder` is made for the socket, and has to be this user's alone; `null`: the socket lies beside the database. */
  | { readonly type: 'socket'; readonly path: string; readonly privateFolder: string | null };

/** The longest path of a socket that every system takes. */
const LONGEST_PATH_BYTES = 103;

/**
 * Where a relay can be reached beside its port, the best place first. Windows has named pipes, which belong to no folder: one that others
 * cannot name. Elsewhere it is a socket beside the database; where that is too long a path, or no place for sockets, one in a private folder
 * under the system's temporary one.
 */
export function doorPlaces({ platform, databasePath, secret, temporaryFolder, uid }: DoorSituation): readonly DoorPlace[] {
  if (platform === 'win32') return [{ type: 'pipe', path: pipeOfSecret(secret) }];
  const beside: DoorPlace = { type: 'socket', path: relaySocketPath(databasePath), privateFolder: null };
  const privateFolder = posix.join(temporaryFolder, `agent-relay-${uid}`);
  const name = createHash('sha256').update(databasePath).digest('hex').slice(0, 16);
  const apart: DoorPlace = { type: 'socket', path: posix.join(privateFolder, `${name}.sock`), privateFolder };
  return Buffer.byteLength(beside.path) <= LONGEST_PATH_BYTES ? [beside, apart] : [apart];
}
