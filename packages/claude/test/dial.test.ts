import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventLog } from 'agent-relay-provider/testing';
import { agentCliPaths, tempHome } from 'agent-relay-testing';
import type { ChildHandle } from 'agent-relay-wire/node';
import { afterEach, describe, expect, test } from 'vitest';
import { dialRelay, wayOf } from '../src/provider/dial-relay.ts';
import { claudeVersions } from './claude-versions.ts';
import { dialled as dialling } from './dialling.ts';

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function dialled(...wanted: Parameters<typeof dialling>) {
  const made = await dialling(...wanted);
  cleanUps.push(made.close);
  return made;
}

async function first<T>(list: readonly T[]): Promise<T> {
  await expect.poll(() => list.length).toBeGreaterThan(0);
  return list[0] as T; // its length was looked at
}

const words = (count: number) => Array.from({ length: count }, (_, index) => `word${String(index + 1).padStart(3, '0')} `).join('');
const streamed = (log: EventLog) =>
  log
    .ofType('text.delta')
    .map(({ text }) => text)
    .join('');
const ending = async (child: ChildHandle) => [(await child.exited).code, child.stderrTail];

describe.each(claudeVersions)('dial with Claude Code %s', (_, command) => {
  test('names itself by path, query and token, is silent until it is spoken to, and ends with its session', async () => {
    const { child, sessions, upgrades } = await dialled(command);
    const { session, log } = await first(sessions);
    expect([session.dialler.path, session.dialler.query.get('x'), session.dialler.bearer, session.dialler.isReconnect]).toEqual([
      '/claude/s1',
      '1',
      'secret',
      false,
    ]);
    await session.prompt('run command: printenv CLAUDE_CODE_SESSION_ACCESS_TOKEN || ls && then say: dialled');
    const { approvalId } = await log.waitFor('approval.requested');
    await session.resolveApproval(approvalId, { outcome: 'allow', by: 'me' });
    expect(await log.waitForTurnEnd()).toMatchObject({ text: 'dialled' });
    expect(log.ofType('tool.completed').map(({ output }) => output?.includes('secret'))).toEqual([false]);
    await session.close();
    expect(await ending(child)).toEqual([0, '']);
    expect(upgrades).toHaveLength(1);
  });

  test.each([
    { mode: undefined, reads: false },
    { mode: 'unrestricted', reads: true },
  ] as const)("reads the folder's settings where it is trusted or the mode is unrestricted ($mode)", async ({ mode, reads }) => {
    const hooks = { SessionStart: [{ hooks: [{ type: 'command', command: 'touch ran' }] }] };
    const { child, cwd, sessions } = await dialled(command, { strangersSettings: { hooks }, ...(mode && { mode }) });
    const { session, log } = await first(sessions);
    await session.prompt('say: hello');
    await log.waitForTurnEnd();
    expect(existsSync(join(cwd, 'ran'))).toBe(reads);
    await session.close();
    const [code, told] = await ending(child);
    expect([code, String(told).includes('Nobody has trusted this folder')]).toEqual([0, !reads]);
  });

  test.each([1012, 1006])('dials again after a drop with %i, and nothing is lost or said twice', async (code) => {
    const { sessions, upgrades, sockets } = await dialled(command);
    const { session, log } = await first(sessions);
    await session.prompt('slow 40 60 && then run command: touch a.txt && then say: done');
    await log.waitFor('text.delta', ({ text }) => text.includes('word003'));
    if (code === 1006) sockets.at(-1)?.terminate();
    else sockets.at(-1)?.close(code);
    const { approvalId } = await log.waitFor('approval.requested');
    expect(upgrades).toHaveLength(2);
    expect(upgrades[1]?.headers['x-last-request-id']).toMatch(/^[0-9a-f-]{36}$/u);
    // A second drop, with the answer given meanwhile.
    sockets.at(-1)?.terminate();
    await session.resolveApproval(approvalId, { outcome: 'allow', by: 'me' });
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished', text: 'done' });
    expect(streamed(log)).toBe(`${words(40)}done`);
    expect(log.ofType('approval.requested')).toHaveLength(1);
    expect(sessions).toHaveLength(1);
  });

  test('is turned away for good with a code or a status, in a sentence', async () => {
    const closed = await dialled(command);
    const { session } = await first(closed.sessions);
    closed.sockets[0]?.close(4003, 'not wanted');
    expect(await ending(closed.child)).toEqual([1, 'agent-relay-claude: The relay turned Claude Code away: not wanted\n']);
    await session.close();
    const refused = await dialled(command, { refuse: 401 });
    expect(await ending(refused.child)).toEqual([1, expect.stringContaining('401')]);
  });
});

test('a status of 404 is the end, in a sentence', async () => {
  const { child, upgrades } = await dialled(agentCliPaths().claude, { refuse: 404 });
  expect(await ending(child)).toEqual([1, expect.stringContaining('404')]);
  expect(upgrades).toHaveLength(1);
});

test.each([
  ['a status of 503', { refuse: 503 }, 'The server refused the WebSocket with HTTP status 503'],
  ['a link that is closed at once', { hangsUp: true }, 'the link was closed before a word was said: not now'],
] as const)('%s is told once, and dialled again', async (_, how, why) => {
  const { child, upgrades } = await dialled(agentCliPaths().claude, how);
  await expect.poll(() => upgrades.length).toBeGreaterThan(2);
  expect(child.stderrTail).toBe(`agent-relay-claude: No relay speaks there (${why}); it is dialled again for ten minutes\n`);
});

test('a CLI that is not logged in says so where it runs', async () => {
  const { child, sessions } = await dialled(agentCliPaths().claude, { isLoggedIn: false });
  await first(sessions);
  expect(child.stderrTail).toContain('not logged in: run `claude auth login`');
});

test('Claude Code is asked whether it is logged in where the environment does not say so', async () => {
  const home = await tempHome();
  cleanUps.push(() => home.remove());
  const command = join(home.directory, 'claude');
  const asked = join(home.directory, 'asked');
  await writeFile(command, `#!/bin/sh\necho "$1" >> ${asked}\n[ "$1" = --version ] && echo 2.1.400\n`);
  await chmod(command, 0o755);
  const run = async (env: Readonly<Record<string, string>>) => {
    await writeFile(asked, '');
    const { signal } = new AbortController();
    await dialRelay({ url: 'ws://127.0.0.1:1/', command, args: [], cwd: home.workFolder, env, signal, tell: () => undefined });
    return (await readFile(asked, 'utf8')).trim().split('\n');
  };
  expect(await run({ ANTHROPIC_API_KEY: 'key' })).toEqual(['--version', '--print']);
  expect(await run({})).toEqual(['--version', 'auth', '--print']);
});

test('a relay that says what it may not is refused, and the CLI goes on', async () => {
  const { child, sockets, sessions } = await dialled(agentCliPaths().claude);
  const { session, log } = await first(sessions);
  const [socket] = sockets;
  const answers: string[] = [];
  socket?.on('message', (data) => answers.push(String(data)));
  for (const frame of [
    'no json at all',
    { type: 'user' },
    { type: 'update_environment_variables', variables: { PATH: '/nowhere' } },
    { type: 'control_request', request_id: 'q1', request: { subtype: 'set_permission_mode', mode: 'acceptEdits' } },
    { type: 'control_request', request_id: 'q2', request: { subtype: 'mcp_set_servers', servers: { x: { command: 'sh' } } } },
  ])
    socket?.send(`${typeof frame === 'string' ? frame : JSON.stringify(frame)}\n`);
  await expect.poll(() => answers.join('')).toContain('"request_id":"q2"');
  expect(answers.join('')).toContain('Nobody outside may ask Claude Code for set_permission_mode');
  await session.prompt('say: still here');
  expect(await log.waitForTurnEnd()).toMatchObject({ text: 'still here' });
  expect(child.stderrTail.split('\n').filter((line) => line.includes('said what it may not'))).toHaveLength(4);
});

test.each([
  ['2.0.60', 'sdk-url'],
  ['2.1.112', 'sdk-url'],
  ['2.1.119', 'sdk-url'],
  ['2.1.120', 'stdio'],
  ['2.1.121', 'stdio'],
  ['2.1.332', 'stdio'],
  ['2.2.0', 'stdio'],
  ['3.0.0-beta.1', 'stdio'],
])('Claude Code %s goes the way %s', (version, way) => {
  expect(wayOf(version)).toBe(way);
});
