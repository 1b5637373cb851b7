import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { Logger } from './logger.ts';
import { relaySocketPath } from './paths.ts';

/*
 * The owner's credential opens the relay, so nobody else may be handed it. A port belongs to whoever binds it next; a socket in the file system
 * belongs to a user. What uses the credential by itself (our commands, this machine's node) comes through here and not through the port.
 */

/** Windows has named pipes in the place of sockets; they are no files. */
const isPipe = process.platform === 'win32';

/** The longest path of a socket that every system takes. */
const LONGEST_PATH_BYTES = 103;

/**
 * Where a relay listens for programs of its own user; `null` where no socket can be made: it is then reached by its port alone, with a token that
 * somebody gives. Closing the door removes the socket.
 */
export async function openOwnerDoor(databasePath: string, door: Server, log: Logger): Promise<string | null> {
  for (const path of placesFor(databasePath)) {
    try {
      if (!isPipe) makeRoom(path);
      await listening(door, path);
      // The credential is still asked for: these rights keep the door from being a way around a firewall between users.
      if (!isPipe) chmodSync(path, 0o600);
      return path;
    } catch (error) {
      log.info('no socket can be made here', { path, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return null;
}

/** Beside the database; where that is too long a path, or no place for sockets, in a private folder under the system's temporary one. */
function* placesFor(databasePath: string): Generator<string> {
  const name = createHash('sha256').update(databasePath).digest('hex').slice(0, 16);
  if (isPipe) {
    yield `\\\\.\\pipe\\agent-relay-${name}`;
    return;
  }
  const beside = relaySocketPath(databasePath);
  if (Buffer.byteLength(beside) <= LONGEST_PATH_BYTES) yield beside;
  yield join(tmpdir(), `agent-relay-${userInfo().uid}`, `${name}.sock`);
}

/** A socket that a killed relay left is in the way; whoever holds the database's lock may remove it. @throws when the folder is not ours alone. */
function makeRoom(path: string): void {
  const folder = dirname(path);
  if (folder.startsWith(join(tmpdir(), 'agent-relay-'))) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(folder);
    if (uid !== userInfo().uid || (mode & 0o077) !== 0) throw new Error(`${folder} is not this user's alone`);
  }
  rmSync(path, { force: true });
}

function listening(door: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    door.once('error', reject);
    door.listen(path, () => {
      door.off('error', reject);
      resolve();
    });
  });
}
