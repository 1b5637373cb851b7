import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createDuplexPair, type MessageDuplex } from 'agent-relay-wire';
import { type ChildHandle, ndjsonDuplex, spawnProcess } from 'agent-relay-wire/node';
import { afterEach, expect, test } from 'vitest';
import { AcpConnection, type AcpHandlers } from '../src/acp/acp-connection.ts';
import type { SessionUpdate } from '../src/acp/frames.ts';
import { fakeAgentCommand } from './fake-agent-harness.ts';

const children: ChildHandle[] = [];
const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'acp-connection-')));

afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  rmSync(cwd, { recursive: true, force: true });
});

const deaf: AcpHandlers = {
  onUpdate: () => {},
  onPermission: async () => ({ outcome: 'cancelled' }),
  onReadFile: async () => '',
  onWriteFile: async () => {},
  onStray: () => {},
};

async function connected(ways: string) {
  const child = await spawnProcess({
    command: fakeAgentCommand,
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, FAKE_ACP: ways },
  });
  children.push(child);
  const updates: SessionUpdate[] = [];
  const handlers: AcpHandlers = { ...deaf, onUpdate: (update) => void updates.push(update) };
  return { connection: new AcpConnection(ndjsonDuplex(child), handlers), updates };
}

test('an earlier session is loaded where the agent can, and its past is not told as news', async () => {
  const { connection, updates } = await connected('loads');
  await connection.initialize();
  expect(await connection.loadSession('session-1', { cwd, mcp: [] })).toEqual({ model: null, modes: [] });
  expect(connection.sessionId).toBe('session-1');
  expect(await connection.prompt([{ type: 'text', text: 'say: on' }])).toMatchObject({ stopReason: 'end_turn' });
  expect(updates).toMatchObject([{ sessionUpdate: 'agent_message_chunk', content: { text: 'on' } }]);
  await connection.close();
});

test('an agent that loads none says so, and nothing is asked of one that has ended', async () => {
  const { connection } = await connected('');
  await connection.initialize();
  await expect(connection.loadSession('session-1', { cwd, mcp: [] })).rejects.toMatchObject({ code: 'unsupported' });
  await connection.newSession({ cwd, mcp: [] });
  await connection.close();
  await expect(connection.prompt([{ type: 'text', text: 'say: on' }])).rejects.toMatchObject({ code: 'connection_closed' });
  await expect(connection.cancel()).rejects.toMatchObject({ code: 'connection_closed' });
});

test('of many files that are asked for at once, the next is read when the agent has taken the one before', async () => {
  const [ours, agents] = createDuplexPair();
  const taken: (() => void)[] = [];
  const slow: MessageDuplex = Object.assign(Object.create(ours), {
    incoming: ours.incoming,
    send: async (message: unknown) => {
      await new Promise<void>((resolve) => taken.push(resolve));
      await ours.send(message);
    },
  });
  const read: string[] = [];
  const onReadFile = async ({ path }: { path: string }) => {
    read.push(path);
    if (path === '/b') throw new Error('no such file');
    return path;
  };
  new AcpConnection(slow, { ...deaf, onReadFile });
  for (const [id, path] of ['/a', '/b', '/c'].entries()) {
    await agents.send({ jsonrpc: '2.0', id, method: 'fs/read_text_file', params: { sessionId: 's', path } });
  }
  const answers = agents.incoming[Symbol.asyncIterator]();
  for (const reads of [['/a'], ['/a', '/b'], ['/a', '/b', '/c']]) {
    await expect.poll(() => taken.length).toBe(1);
    await pause(50);
    expect(read).toEqual(reads);
    taken.shift()?.();
    expect((await answers.next()).value).toMatchObject({ id: reads.length - 1 });
  }
  await agents.close();
});
