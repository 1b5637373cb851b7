import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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

async function connected(ways: string) {
  const child = await spawnProcess({
    command: fakeAgentCommand,
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, FAKE_ACP: ways },
  });
  children.push(child);
  const updates: SessionUpdate[] = [];
  const handlers: AcpHandlers = {
    onUpdate: (update) => void updates.push(update),
    onPermission: async () => ({ outcome: 'cancelled' }),
    onReadFile: async () => '',
    onWriteFile: async () => {},
    onStray: () => {},
  };
  return { connection: new AcpConnection(ndjsonDuplex(child), handlers), updates };
}

test('an earlier session is loaded where the agent can, and its past is not told as news', async () => {
  const { connection, updates } = await connected('loads');
  await connection.initialize();
  expect(await connection.loadSession('session-1', { cwd, mcp: [] })).toEqual({ model: null });
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
