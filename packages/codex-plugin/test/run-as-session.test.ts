import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runCli } from '../src/run-cli.ts';
import { writeSession } from '../src/session/stored-session.ts';

const threadId = '01a228ce-37d4-7432-bcf9-7a57e0784c51';
let folder: string;
let ran: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-as-session-'));
  ran = join(folder, 'ran');
  const relay = join(folder, 'agent-relay');
  writeFileSync(relay, `#!/bin/sh\necho "$AGENT_RELAY_ID $AGENT_RELAY_TOKEN $*" > ${ran}\n`);
  chmodSync(relay, 0o755);
  const env = { HOME: folder, XDG_STATE_HOME: join(folder, 'state'), CODEX_THREAD_ID: threadId };
  for (const [name, value] of Object.entries({ ...env, PATH: `${folder}:${process.env['PATH']}` })) vi.stubEnv(name, value);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  writeSession(env, threadId, { agentId: 'me', url: 'http://127.0.0.1:4850', token: 'mine', instanceId: 'i', epoch: 1 });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => runCli(['node', 'agent-relay-codex', 'run', ...args]);

test.each([
  [['--url', 'http://127.0.0.1:4999']],
  [['--url=http://127.0.0.1:4999']],
  [['--token', 'x', '--from', 'owner']],
  [['--db=/tmp/other.db']],
  [['--agent', 'owner']],
  [['--', '--url', 'http://127.0.0.1:4999']],
])('what leaves the sandbox goes to the session’s relay as the session: %j is refused', async (options) => {
  expect(await run('/message', 'E', 'hi', ...options)).toBe(2);
  expect(existsSync(ran)).toBe(false);
});

test('it speaks as the session, whatever id and token its person has set', async () => {
  vi.stubEnv('AGENT_RELAY_ID', 'fixed');
  vi.stubEnv('AGENT_RELAY_TOKEN', 'the owner’s');
  expect(await run('/message', 'E', 'what does --from do?')).toBe(0);
  expect(readFileSync(ran, 'utf8')).toBe('me mine /message E what does --from do?\n');
});
