import { execFile } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findRelay } from 'agent-relay-client/node';
import { defaultDatabasePath, envFilePathOf, lastRunningRelay, ownerTokenPath, runningRelayPath } from 'agent-relay-wire/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { compiledCode } from './support/command.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync('/var/tmp/agent-relay-find-');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const env = () => ({ HOME: home });
const ownDatabase = () => {
  const path = defaultDatabasePath(env());
  mkdirSync(dirname(path), { recursive: true });
  return path;
};
/** What a relay leaves that was killed: its credential, and a note of a process that has ended. */
function leaveNote(databasePath: string, socket: string | null): void {
  writeFileSync(ownerTokenPath(databasePath), 'owner_secret\n', { mode: 0o600 });
  writeFileSync(runningRelayPath(databasePath), JSON.stringify({ url: 'http://127.0.0.1:4850', socket, pid: 1, startedAt: 'never' }));
}
function writeEnvFile(text: string): void {
  const path = envFilePathOf(env());
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

test('a program of ten lines finds the relay of its user, and speaks as the owner', async () => {
  await using _relay = await startTestRelay({ databasePath: ownDatabase() });
  const program = fileURLToPath(new URL('support/local-tool.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=agent-relay-source', program], {
    env: { ...compiledCode, ...env() },
  });
  expect(stdout).toBe('sent as the owner\n');
});

describe('the relay of this user', () => {
  test('is found by the database that its env file names, whatever else a newer relay keeps there', async () => {
    const databasePath = join(home, 'elsewhere.db');
    await using relay = await startTestRelay({ databasePath });
    writeEnvFile(`# settings\nSOMETHING_NEWER=1\nDB_PATH="${databasePath}"\n`);
    const { socket } = lastRunningRelay(runningRelayPath(databasePath)) ?? {};
    const found = { url: relay.url, token: relay.ownerToken, socketPath: socket, socketOwnerFile: ownerTokenPath(databasePath) };
    expect(await findRelay({ env: env() })).toEqual(found);
    expect(await findRelay({ env: env(), url: relay.url.replace('127.0.0.1', 'localhost') })).toEqual(found);
    expect(await findRelay({ env: { ...env(), AGENT_RELAY_TOKEN: 'mine' } })).toEqual({ ...found, token: 'mine' });
  });

  test('is not guessed when its env file cannot be understood', async () => {
    writeEnvFile('DB_PATH /elsewhere/secret.db\n');
    await expect(findRelay({ env: env() })).rejects.toMatchObject({
      code: 'validation_failed',
      message: expect.not.stringContaining('secret'),
    });
  });

  test('is none where nothing says that one serves the database', async () => {
    const databasePath = ownDatabase();
    await expect(findRelay({ env: env() })).rejects.toMatchObject({ code: 'connection_closed', details: { databasePath } });
  });
});

describe('the owner’s credential', () => {
  const ended = { code: 'connection_closed', details: { url: 'http://127.0.0.1:4850' } };

  test('goes to no other address and to no port', async () => {
    leaveNote(ownDatabase(), null);
    expect(await findRelay({ env: env(), url: 'http://127.0.0.1:4851' })).toEqual({ url: 'http://127.0.0.1:4851' });
    expect(await findRelay({ env: { ...env(), AGENT_RELAY_URL: 'http://relay.example' } })).toEqual({ url: 'http://relay.example' });
    await expect(findRelay({ env: env() })).rejects.toMatchObject(ended);
    await expect(findRelay({ env: env(), url: 'http://localhost:4850' })).rejects.toMatchObject(ended);
  });

  test.skipIf(process.getuid?.() !== 0)('goes through no socket of another user', async () => {
    const socket = join(home, 'theirs.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    leaveNote(ownDatabase(), socket);
    expect(await findRelay({ env: env() })).toMatchObject({ token: 'owner_secret', socketPath: socket });
    chownSync(socket, 65_534, 65_534);
    await expect(findRelay({ env: env() })).rejects.toMatchObject(ended);
    server.close();
  });

  test.each(['127.0.0.1:4850', 'localhost:4850', 'ftp://relay.example', ''])('goes nowhere when %j is named', async (url) => {
    leaveNote(ownDatabase(), null);
    for (const token of [undefined, 'mine'])
      await expect(findRelay({ env: env(), url, ...(token === undefined ? {} : { token }) })).rejects.toMatchObject({
        code: 'validation_failed',
        message: expect.stringContaining('http://'),
      });
  });

  test('stays where it is when a token and an address are named', async () => {
    leaveNote(ownDatabase(), null);
    const named = { url: 'http://127.0.0.1:4850', token: 'mine' };
    expect(await findRelay({ env: env(), ...named })).toEqual(named);
  });
});
