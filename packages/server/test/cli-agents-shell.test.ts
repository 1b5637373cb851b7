import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../src/cli/run-cli.ts';
import { startTestRelay } from '../src/testing.ts';

test('in the shell of a coding agent nobody is the owner for want of a token', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'agents-shell-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await using relay = await startTestRelay({ databasePath: join(folder, 'relay.db') });
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const { token } = await client.agents.register({ id: 'E', name: 'E', instanceId: 'i', withToken: true });
  const say = async (more: Record<string, string>, ...options: string[]) => {
    const notes: string[] = [];
    const code = await runCli(['/message', 'E', 'hi', ...options], {
      env: { HOME: folder, DB_PATH: relay.databasePath, ...more },
      cwd: folder,
      signal: new AbortController().signal,
      out: () => {},
      note: (line) => notes.push(line),
      ask: null,
    });
    return { code, notes: notes.join('\n') };
  };
  const senders = async () => (await client.messages.list({})).data.map(({ from }) => from);
  for (const shell of [{ CODEX_THREAD_ID: 't' }, { CLAUDECODE: '1' }, { CLAUDECODE: '1', AGENT_RELAY_ID: 'E', AGENT_RELAY_TOKEN: '' }]) {
    for (const options of [[], ['--from', 'owner'], ['--url', relay.url], ['--db', relay.databasePath]]) {
      expect(await say(shell, ...options)).toMatchObject({ code: 1, notes: expect.stringContaining('only a person speaks') });
    }
  }
  expect(await senders()).toEqual([]);
  const session = { CODEX_THREAD_ID: 't', AGENT_RELAY_ID: 'E', AGENT_RELAY_TOKEN: token ?? '', AGENT_RELAY_URL: relay.url };
  expect(await say(session)).toEqual({ code: 0, notes: '' });
  expect(await say({})).toEqual({ code: 0, notes: '' });
  expect(await senders()).toEqual(['E', 'owner']);
});
