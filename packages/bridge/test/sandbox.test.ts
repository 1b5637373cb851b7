import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay } from 'agent-relay-server/testing';
import { expect, test } from 'vitest';
import { connect, later, startBridge, tempFolder } from './bridge-world.ts';
import { ScriptedProvider } from './scripted-provider.ts';

/** A machine whose sandbox can be had: its owner names it. */
async function withBwrap(): Promise<Record<string, string>> {
  const folder = await tempFolder();
  await writeFile(join(folder, 'bwrap'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  return { PATH: folder, AGENT_RELAY_BWRAP: join(folder, 'bwrap') };
}

const hasBwrap = process.platform === 'linux';

async function ask(url: string, requestId: string) {
  const client = await connect(url);
  client.send({ type: 'prompt', prompt: 'say hello', requestId, projectId: 'p' });
  return client.end(requestId);
}

test('a sandbox that cannot be had is said when the bridge starts, and `auto` does without', async () => {
  const env = { PATH: await tempFolder() };
  await expect(startBridge({ sandbox: 'os', env })).rejects.toMatchObject({ code: 'unsupported' });
  if (hasBwrap) {
    const options = { sandbox: 'seatbelt', env: await withBwrap() } as const;
    await expect(startBridge(options)).rejects.toThrow('This machine has the sandbox bwrap, and not seatbelt');
  }
  const { url, claude } = await startBridge({ sandbox: 'auto', env });
  expect(await ask(url, 'r')).toMatchObject({ type: 'complete' });
  expect(claude.starts[0]).not.toHaveProperty('sandbox');
});

test.runIf(hasBwrap)('every agent is put in the sandbox, and one that is not does not start', async () => {
  const env = await withBwrap();
  const { url, claude } = await startBridge({ sandbox: 'os', env });
  expect(await ask(url, 'unknown')).toMatchObject({ type: 'error', message: expect.stringContaining('claude cannot be put in a sandbox') });
  claude.sandboxFiles = () => ({});
  claude.isHeld = false;
  expect(await ask(url, 'outside')).toMatchObject({
    type: 'error',
    message: expect.stringContaining('claude put nothing into its sandbox bwrap'),
  });
  claude.isHeld = true;
  expect(await ask(url, 'inside')).toMatchObject({ type: 'complete' });
  expect(claude.starts.at(-1)?.sandbox?.kind).toBe('bwrap');
  const client = await connect(url);
  client.send({ type: 'capabilities' });
  const told = await client.next(({ type }) => type === 'capabilities');
  expect(told['sandbox']).toEqual({ active: 'bwrap', available: ['none', 'bwrap'] });
});

test.runIf(hasBwrap)(
  'what an agent in a sandbox may write is no place to look for programs, nor does a client say what it opens',
  async () => {
    const { PATH, ...env } = await withBwrap();
    const cwd = await tempFolder();
    const inBridges = join(cwd, 'bin');
    const options = { sandbox: 'os', mode: 'agentic', protocol: 'ai-relay', allowHandshakeOptions: true } as const;
    const { url, claude, sessionDir } = await startBridge({
      ...options,
      cwd,
      env: { ...env, PATH: [inBridges, `${PATH}`].join(delimiter) },
    });
    claude.sandboxFiles = () => ({});
    for (const _start of ['first', 'second']) {
      const client = await connect(url);
      client.send({ tool: 'claude', folder: '.' });
      await client.next(({ type }) => type === 'session_start');
      client.socket.close();
    }
    expect(claude.starts.map(({ env: { PATH: path } }) => path?.split(delimiter).includes(inBridges))).toEqual([true, false]);
    expect(sessionDir.startsWith(cwd)).toBe(false);
    const client = await connect(url);
    client.send({ tool: 'claude', folder: '.', env: { PATH: '/home/ada/.ssh' } });
    expect(await client.next(() => true)).toMatchObject({ type: 'error', text: expect.stringContaining('sandbox') });
  },
);

test.runIf(hasBwrap)('with a relay as well, which is told', async () => {
  const relay = await startTestRelay();
  later(() => relay.close());
  const env = await withBwrap();
  const claude = new ScriptedProvider('claude');
  claude.sandboxFiles = () => ({});
  const ofRelay = { relay: { url: relay.url, token: relay.ownerToken }, agentName: 'bridge' };
  const { url } = await startBridge({ sandbox: 'os', env, providers: [claude], ...ofRelay });
  expect(await ask(url, 'r')).toMatchObject({ type: 'complete' });
  expect(claude.starts[0]?.sandbox?.kind).toBe('bwrap');
  const client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  later(() => client.close());
  expect((await client.sessions.list({})).data).toMatchObject([{ provider: 'claude', sandbox: 'bwrap' }]);
});
