import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { messageOf } from 'agent-relay-protocol';
import type { DoorSituation } from './door-places.ts';
import { type DoorPlace, doorPlaces } from './door-places.ts';
import type { Logger } from './logger.ts';

/*
 * The owner's credential opens the relay, so nobody else may be handed it. A port belongs to whoever binds it next; a socket in the file system
 * belongs to a user, and a pipe of Windows to who can name it. What uses the credential by itself (our commands, this machine's node) comes
 * through here and not through the port.
 */

/**
 * Where a relay listens for programs of its own user; `null` where no socket can be made: it is then reached by its port alone, with a token that
 * somebody gives. Closing the door removes the socket.
 */
export async function openOwnerDoor(situation: DoorSituation, door: Server, log: Logger): Promise<string | null> {
  for (const place of doorPlaces(situation)) {
    const { path } = place;
    try {
      makeRoom(place, situation.uid);
      await listening(door, path);
      // The credential is still asked for: these rights keep the door from being a way around a firewall between users.
      if (place.type === 'socket') chmodSync(path, 0o600);
      return path;
    } catch (error) {
      log.info('no socket can be made here', { path, reason: messageOf(error) });
    }
  }
  return null;
}

/** A socket that a killed relay left is in the way; whoever holds the database's lock may remove it. @throws when the folder is not ours alone. */
function makeRoom(place: DoorPlace, uid: number): void {
  if (place.type === 'pipe') return;
  const { path, privateFolder } = place;
  if (privateFolder !== null) {
    mkdirSync(privateFolder, { recursive: true, mode: 0o700 });
    const folder = lstatSync(privateFolder);
    if (folder.uid !== uid || (folder.mode & 0o077) !== 0) throw new Error(`${privateFolder} is not this user's alone`);
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
