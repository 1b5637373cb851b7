import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createNodeRelayClient, findRelay } from 'agent-relay-client/node';
import { freePort } from 'agent-relay-testing';
import { isSocketOfOwner, lastRunningRelay, ownerTokenPath, processIdentity, runningRelayPath } from 'agent-relay-wire/node';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { localNodeLogPath, localNodePath, relaySocketPath } from '../src/paths.ts';
import { readJson } from '../src/running-relay.ts';
import { startTestRelay } from '../src/testing.ts';
import { type Command, ownCli, startCommand } from './support/command.ts';
import { poll } from './support/poll.ts';

let folder = '';
let databasePath = '';
const commands: Command[] = [];
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/agent-relay-door-');
  databasePath = join(folder, 'relay.db');
});
afterEach(async () => {
  for (const { child } of commands.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) server.close();
  const node = readJson(localNodePath(databasePath), z.object({ pid: z.int() }))?.pid;
  if (node !== undefined && (await processIdentity(node))) process.kill(node, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]): Command => {
  const command = startCommand(args, { HOME: folder, PATH: '/usr/bin:/bin', DB_PATH: databasePath });
  commands.push(command);
  return command;
};

/** Everything that anybody sends to a port. */
async function eavesdrop(port: number, path?: string): Promise<string[]> {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on('data', (chunk) => heard.push(String(chunk)));
    socket.on('error', () => {});
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(port, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  return heard;
}

const logLines = () => readFileSync(localNodeLogPath(databasePath), 'utf8').split('cannot be reached').length - 1;

describe('the owner’s credential', () => {
  test('is shown to nobody who listens on the port of a relay that was killed', async () => {
    // One that nobody else is given meanwhile.
    const relay = run('serve', '--port', String(await freePort()));
    await poll('it listens', () => relay.out().includes('agent-relay watch'));
    const { url } = lastRunningRelay(runningRelayPath(databasePath)) ?? { url: '' };
    await poll('its node is there', async () => (await run('doctor').done).out.includes('Node local: online'));
    relay.child.kill('SIGKILL');
    await relay.done;
    const heard = await eavesdrop(Number(new URL(url).port));
    const before = logLines();
    expect(await run('agents').done).toMatchObject({ code: 3, note: expect.stringContaining(`no relay answers at ${url}`) });
    expect(await run('agents', '--url', url).done).toMatchObject({ code: 3 });
    await poll('the node has tried again and again', () => logLines() > before + 3);
    expect(heard).toEqual([]);
  });

  test('goes through a socket that is its user’s alone, and everything else goes with it', async () => {
    await using relay = await startTestRelay({ databasePath });
    const socketPath = relaySocketPath(databasePath);
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    await using client = createNodeRelayClient({ url: 'http://127.0.0.1:1', socketPath, token: relay.ownerToken });
    await client.agents.register({ name: 'Worker', id: 'worker' });
    const events = client.events({ after: 0 });
    expect((await events.next()).value).toMatchObject({ type: 'agent.registered' });
    await events.return();
    await using overSocket = createNodeRelayClient({ url: 'http://127.0.0.1:1', socketPath, token: relay.ownerToken, transport: 'socket' });
    expect(await overSocket.system.me()).toMatchObject({ type: 'owner' });
    await expect(client.agents.get({ id: 'nobody' })).rejects.toMatchObject({ code: 'not_found' });
  });

  test.skipIf(process.getuid?.() !== 0)('is not shown at a socket of another user', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(ownerTokenPath(databasePath), 'owner_secret\n', { mode: 0o600 });
    const socket = join(folder, 'theirs.sock');
    const heard = await eavesdrop(0, socket);
    expect(isSocketOfOwner(socket, ownerTokenPath(databasePath))).toBe(true);
    chownSync(socket, 65_534, 65_534);
    const note = { url: 'http://127.0.0.1:1', socket, pid: 1, startedAt: 'never' };
    writeFileSync(runningRelayPath(databasePath), JSON.stringify(note));
    expect(await run('agents').done).toMatchObject({ code: 3 });
    expect(heard).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)('is not shown at a socket that became another user’s after the relay was found', async () => {
    const relay = await startTestRelay({ databasePath });
    const found = { ...(await findRelay({ env: { HOME: folder }, databasePath })), timeoutMs: 1_000 };
    await using client = createNodeRelayClient(found);
    await using overSocket = createNodeRelayClient({ ...found, transport: 'socket' });
    const { socketOwnerFile: _file, ...bare } = found;
    await using unnamed = createNodeRelayClient(bare);
    for (const each of [client, overSocket, unnamed]) expect(await each.system.me()).toMatchObject({ type: 'owner' });
    await relay.close();
    const heard = await eavesdrop(0, found.socketPath);
    chownSync(found.socketPath ?? '', 65_534, 65_534);
    for (const each of [client, overSocket, unnamed])
      await expect(each.system.me()).rejects.toMatchObject({ code: expect.stringMatching(/^(?:connection_closed|timeout)$/u) });
    expect(heard).toEqual([]);
  });

  test('has a door also where the path of the database is longer than a socket’s may be', async () => {
    const deep = join(folder, 'x'.repeat(100), 'relay.db');
    await using relay = await startTestRelay({ databasePath: deep });
    const { socket } = lastRunningRelay(runningRelayPath(deep)) ?? {};
    await using client = createNodeRelayClient({ url: relay.url, socketPath: socket ?? '', token: relay.ownerToken });
    expect(await client.system.me()).toMatchObject({ type: 'owner' });
  });
});

describe('a database', () => {
  test('is served by one of many relays that start at once, and by the next when that has ended', async () => {
    const starts = await Promise.allSettled(Array.from({ length: 6 }, () => startTestRelay({ databasePath })));
    const refused = starts.filter((start) => start.status === 'rejected').map(({ reason }) => String(reason.message));
    for (const start of starts) if (start.status === 'fulfilled') await start.value.close();
    expect(refused).toHaveLength(5);
    for (const reason of refused) expect(reason).toMatch(/^Another relay.* already serves the database .*relay\.db$/u);
    await using _next = await startTestRelay({ databasePath });
  });

  test('under another name is the same database', async () => {
    await (await startTestRelay({ databasePath })).close();
    const alias = join(folder, 'alias.db');
    execFileSync('ln', ['-s', databasePath, alias]);
    await using _relay = await startTestRelay({ databasePath });
    await expect(startTestRelay({ databasePath: alias })).rejects.toMatchObject({ code: 'busy' });
  });

  test.skipIf(!canUnshare())('is not served twice from two process namespaces', async () => {
    await using _relay = await startTestRelay({ databasePath });
    const { code, note } = await inOtherNamespace('serve', '--port', '0', '--no-local-node');
    expect([code, note]).toEqual([1, expect.stringMatching(/^error: Another relay .* already serves the database .*\n$/u)]);
  });

  test('that another program holds locked ends serve with one sentence, and no node is left', async () => {
    await (await startTestRelay({ databasePath })).close();
    const other = new Sqlite(databasePath);
    other.exec('BEGIN IMMEDIATE');
    const { code, note } = await run('serve', '--port', '0').done;
    other.close();
    expect([code, note]).toEqual([1, `error: Another program holds the database locked (${databasePath})\n`]);
    expect(readJson(localNodePath(databasePath), z.object({ pid: z.int() }))).toBeNull();
  });

  test('without room ends serve with one sentence, and no node is left', async () => {
    await (await startTestRelay({ databasePath })).close();
    const limited = `trap '' XFSZ; ulimit -f 2; exec "$0" "$@"`;
    const args = ['-c', limited, process.execPath, '--conditions=agent-relay-source', ownCli, 'serve', '--port', '0'];
    const { code, note } = await outcomeOf(spawn('/bin/sh', args, { env: { HOME: folder, DB_PATH: databasePath } }));
    expect([code, note]).toEqual([1, expect.stringMatching(/^error: .*(?:full|failed|locked).*\n$/u)]);
    expect(readJson(localNodePath(databasePath), z.object({ pid: z.int() }))).toBeNull();
  });
});

function canUnshare(): boolean {
  try {
    execFileSync('unshare', ['--pid', '--fork', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function inOtherNamespace(...args: string[]) {
  const command = ['--pid', '--fork', '--kill-child', process.execPath, '--conditions=agent-relay-source', ownCli, ...args];
  return outcomeOf(spawn('unshare', command, { env: { HOME: folder, PATH: '/usr/bin:/bin', DB_PATH: databasePath } }));
}

function outcomeOf(child: ChildProcess): Promise<{ readonly code: number | null; readonly note: string }> {
  let note = '';
  child.stderr?.on('data', (chunk) => {
    note += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, note })));
}
