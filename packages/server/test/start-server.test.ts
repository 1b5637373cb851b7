import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { RelayError } from 'agent-relay-protocol';
import { freePort } from 'agent-relay-testing';
import { ownerTokenPath, processIdentity, readOwnerToken, runningRelayPath } from 'agent-relay-wire/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { localNodePath } from '../src/paths.ts';
import { readJson, readRunningRelay } from '../src/running-relay.ts';
import { startTestRelay } from '../src/testing.ts';
import { compiledCode } from './support/command.ts';
import { poll } from './support/poll.ts';

let folder = '';
let databasePath = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-relay-start-'));
  databasePath = join(folder, 'relay.db');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  // A test that failed half-way must not leave a node behind.
  const pid = nodePid();
  if (pid !== undefined && (await processIdentity(pid))) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const nodePid = () => readJson(localNodePath(databasePath), z.object({ pid: z.int() }))?.pid;
const isGone = async (pid: number) => (await processIdentity(pid)) === undefined;

function serve(port: number): ChildProcess {
  const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=agent-relay-source', cli, 'serve', '--port', String(port), '--db', databasePath], {
    env: { ...compiledCode, PATH: '/usr/bin:/bin', HOME: folder },
    stdio: 'ignore',
  });
  children.push(child);
  return child;
}

/** Until the machine's node has attached to the relay that runs now, in this process. */
async function attached(relayPid: number | undefined): Promise<void> {
  await poll(
    'the local node is online',
    async () => {
      const running = await readRunningRelay(runningRelayPath(databasePath));
      const token = readOwnerToken(ownerTokenPath(databasePath));
      if (!running || running.pid !== relayPid || token === null) return false;
      await using client = createNodeRelayClient({ url: running.url, token });
      const { data } = await client.nodes.list().catch(() => ({ data: [] }));
      return data.some(({ name, status }) => name === 'local' && status === 'online');
    },
    30_000,
  );
}

describe('the local node', () => {
  test('outlives a killed relay, is taken over by the next one on another port, and ends with a clean stop of that', {
    timeout: 90_000,
  }, async () => {
    const first = serve(await freePort());
    await attached(first.pid);
    const pid = nodePid() ?? 0;
    first.kill('SIGKILL');
    await new Promise((resolve) => first.once('exit', resolve));
    expect(await isGone(pid)).toBe(false);
    const second = serve(await freePort());
    await attached(second.pid);
    expect(nodePid()).toBe(pid);
    const exit = new Promise((resolve) => second.once('exit', resolve));
    second.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(await isGone(pid)).toBe(true);
    expect([existsSync(localNodePath(databasePath)), existsSync(runningRelayPath(databasePath))]).toEqual([false, false]);
  });
});

describe('a relay in a process', () => {
  test('keeps everything from one start to the next, and its owner', async () => {
    const first = await startTestRelay({ databasePath });
    await using client = createNodeRelayClient({ url: first.url, token: first.ownerToken });
    const { token } = await client.agents.register({ name: 'Worker', withToken: true });
    const sent = await client.messages.send({ to: 'Worker', body: 'still there?' });
    await first.close();
    await using second = await startTestRelay({ databasePath });
    expect(second.ownerToken).toBe(first.ownerToken);
    await using worker = createNodeRelayClient({ url: second.url, ...(token !== undefined && { token }) });
    const { data } = await worker.inbox.list({ id: 'Worker' });
    expect(data.map(({ message }) => [message.id, message.body])).toEqual([[sent.id, 'still there?']]);
  });

  test('a second token of the owner works beside the credential file', async () => {
    await using relay = await startTestRelay({ settings: { AGENT_RELAY_TOKEN: 'a-token-of-sixteen' } });
    for (const token of [relay.ownerToken, 'a-token-of-sixteen']) {
      await using client = createNodeRelayClient({ url: relay.url, token });
      expect(await client.system.me()).toMatchObject({ type: 'owner' });
    }
  });

  test('a taken port leaves nothing open behind', async () => {
    await using relay = await startTestRelay();
    const { port } = new URL(relay.url);
    const refused = startTestRelay({ databasePath, settings: { PORT: port } });
    await expect(refused).rejects.toThrow(RelayError);
    await using second = await startTestRelay({ databasePath });
    expect(await readRunningRelay(runningRelayPath(databasePath))).toMatchObject({ url: second.url, pid: process.pid });
  });

  test('closing twice is closing once', async () => {
    const relay = await startTestRelay();
    await Promise.all([relay.close(), relay.close()]);
    await relay.close();
    await expect(fetch(`${relay.url}/api/health`)).rejects.toThrow();
  });
});
