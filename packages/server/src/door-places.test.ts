import { pipeOfSecret } from 'agent-relay-wire/node';
import { describe, expect, test } from 'vitest';
import { type DoorSituation, doorPlaces } from './door-places.ts';

const databasePath = '/home/ann/.local/state/agent-relay/agent-relay.db';
const situation: DoorSituation = { platform: 'linux', databasePath, secret: 'owner_secret', temporaryFolder: '/tmp', uid: 1000 };
/** The socket of that database in a folder of its own. */
const apart = {
  type: 'socket',
  path: expect.stringMatching(/^\/tmp\/agent-relay-1000\/[\da-f]{16}\.sock$/u),
  privateFolder: '/tmp/agent-relay-1000',
};

describe('the door of a relay', () => {
  test.each(['linux', 'darwin', 'freebsd'] as const)('on %s is a socket beside the database, else in a private folder', (platform) => {
    expect(doorPlaces({ ...situation, platform })).toEqual([{ type: 'socket', path: `${databasePath}.sock`, privateFolder: null }, apart]);
  });

  test('is not beside a database whose path is too long for a socket’s', () => {
    const longest = `/${'d'.repeat(103 - '/.sock'.length)}`;
    expect(doorPlaces({ ...situation, databasePath: longest }).map(({ path }) => path)).toContain(`${longest}.sock`);
    expect(doorPlaces({ ...situation, databasePath: `${longest}d` })).toEqual([apart]);
  });

  test('is not the same for two databases, nor for two users', () => {
    const pathOf = (more: Partial<DoorSituation>) => doorPlaces({ ...situation, databasePath: 'd'.repeat(200), ...more })[0]?.path;
    expect(new Set([pathOf({}), pathOf({ databasePath: 'e'.repeat(200) }), pathOf({ uid: 1001 })]).size).toBe(3);
  });

  test('on win32 is a pipe whose name follows from the secret alone: what others know of the machine does not give it', () => {
    const windows: DoorSituation = { ...situation, platform: 'win32', databasePath: 'C:\\Users\\ann\\agent-relay.db', uid: -1 };
    expect(doorPlaces(windows)).toEqual([{ type: 'pipe', path: pipeOfSecret('owner_secret') }]);
    expect(doorPlaces({ ...windows, secret: 'owner_other' })).not.toEqual(doorPlaces(windows));
  });
});
