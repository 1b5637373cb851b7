import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OwnedProcess, StartOptions } from 'agent-relay-provider';
import { agentCliPaths, tempHome } from 'agent-relay-testing';
import { expect, test, vi } from 'vitest';
import { ClaudeProvider } from '../src/provider/claude-provider.ts';

const { claude, claudeDialling } = agentCliPaths();
const relay = { url: 'http://127.0.0.1:1', token: 'secret-of-it', instanceId: 'i1' };

type More = Partial<StartOptions>;
const start = (command: string, cwd: string, env: Record<string, string>, more: More = {}) =>
  new ClaudeProvider({ command }).start({
    ...{ agentId: 'Back', sessionId: 's1', cwd, mode: 'agentic', approval: 'open', instructions: '', mcp: [], env },
    ...{ background: { task: null, relay }, onProcess: () => undefined, ...more },
  });

test.skipIf(claudeDialling === undefined)('a version that keeps no sessions in the background says so in a sentence', async () => {
  await using home = await tempHome();
  await expect(start(claudeDialling ?? '', home.workFolder, home.env())).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(/^This version of Claude Code keeps no sessions in the background: update it/u),
  });
});

test('a folder that Claude does not trust is refused in its own words', async () => {
  await using home = await tempHome();
  const folder = join(home.directory, 'strange');
  await mkdir(folder);
  await expect(start(claude, folder, home.env())).rejects.toMatchObject({
    code: 'provider_unavailable',
    message: expect.stringContaining('Workspace not trusted'),
  });
});

/** What it is asked is written down; its session is a process that waits, or ends at once. */
async function scripted(home: { readonly directory: string }, session: string): Promise<string> {
  const path = join(home.directory, 'claude');
  const job = '{\\"id\\":\\"abc\\",\\"sessionId\\":\\"v1\\",\\"pid\\":$(cat "$D/pid")}';
  const lines = [
    '#!/bin/sh',
    'D=$(dirname "$0")',
    'echo "$@" >> "$D/asked"',
    'case "$1" in',
    `--bg) cat > "$D/prompt"; env > "$D/env"; (${session}) > /dev/null 2>&1 & echo $! > "$D/pid"; echo "backgrounded · abc";;`,
    `agents) echo "[${job}]";;`,
    'esac',
  ];
  await writeFile(path, `${lines.join('\n')}\n`);
  await chmod(path, 0o755);
  return path;
}

test('without its plugin it hears nobody: it is ended, and what is missing said', async () => {
  await using home = await tempHome();
  const command = await scripted(home, 'sleep 1');
  const owned: OwnedProcess[] = [];
  const env = { ...home.env(), AGENT_RELAY_SESSION_ID: 's1', AGENT_RELAY_PROCESS_TREE: 'mark', AGENT_RELAY_AGENT_ID: 'Back' };
  const started = start(command, home.workFolder, env, {
    background: { task: 'mend it', relay },
    onProcess: (process) => owned.push(process),
  });
  await expect(started).rejects.toMatchObject({
    code: 'provider_unavailable',
    message: expect.stringContaining('npx agent-relay-plugin install'),
  });
  const asked = await readFile(join(home.directory, 'asked'), 'utf8');
  expect(asked.trim().split('\n').at(-1)).toBe('stop abc');
  expect(await readFile(join(home.directory, 'prompt'), 'utf8')).toBe('mend it');
  // What everybody may read holds no secret, and Claude's own service carries no mark by which it would be ended.
  expect(asked).not.toContain(relay.token);
  expect(await readFile(join(home.directory, 'env'), 'utf8')).not.toMatch(/AGENT_RELAY_/u);
  expect(owned).toMatchObject([{ purpose: 'claude in the background', shared: false, unmarked: true, jobId: 'abc' }]);
});

test('a job that an earlier process left is ended by its id', async () => {
  await using home = await tempHome();
  const command = await scripted(home, 'true');
  await new ClaudeProvider({ command }).endJob('abc', { ...home.env(), AGENT_RELAY_PROCESS_TREE: 'mark' });
  expect(await readFile(join(home.directory, 'asked'), 'utf8')).toBe('stop abc\n');
});

test('one that is over before it is seen to run names the plugin too', async () => {
  await using home = await tempHome();
  const command = await scripted(home, 'true');
  const now = performance.now.bind(performance);
  let looks = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 4_000 * looks++);
  try {
    await expect(start(command, home.workFolder, home.env())).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringContaining('npx agent-relay-plugin install'),
    });
  } finally {
    clock.mockRestore();
  }
});

test('it is running once its plugin has said so, and over when it is closed or its process is gone', async () => {
  await using home = await tempHome();
  const ready = `sed -n 's/.*AGENT_RELAY_READY_FILE":"\\([^"]*\\).*/\\1/p' "$(echo "$@" | sed 's/.*--settings \\([^ ]*\\).*/\\1/')" | xargs touch`;
  for (const way of ['close', 'die'] as const) {
    const command = await scripted(home, `sleep 0.2; ${ready}; exec sleep 600`);
    let pid = 0;
    const onProcess = (owned: OwnedProcess) => {
      ({ pid } = owned);
    };
    const session = await start(command, home.workFolder, home.env(), { onProcess });
    expect([session.vendorSessionId, session.attach]).toEqual(['v1', 'claude attach abc']);
    await expect(session.interrupt()).rejects.toMatchObject({ code: 'unsupported' });
    if (way === 'close') await session.close();
    else process.kill(pid);
    const events = [];
    for await (const event of session.events) events.push(event);
    expect(events.at(-1)).toMatchObject({ type: 'session.ended', reason: way === 'close' ? 'closed' : 'exited' });
    expect((await readFile(join(home.directory, 'asked'), 'utf8')).trim().split('\n').at(-1)).toBe('stop abc');
  }
});
