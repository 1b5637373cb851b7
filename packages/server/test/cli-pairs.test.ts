import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { compiledCode } from './support/command.ts';
import { poll } from './support/poll.ts';
import { runHere } from './support/run-command.ts';

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
let folder = '';
let relay: TestRelay;
let owner: RelayClient;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-relay-cli-pairs-'));
  relay = await startTestRelay({ databasePath: join(folder, 'state', 'relay.db') });
  owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  for (const id of ['A', 'B']) await owner.agents.register({ id, name: id, provider: id === 'B' ? 'codex' : 'claude' });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await owner.close();
  await relay.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The command as a process of its own, in an empty home, beside a running relay. */
function start(args: readonly string[], env: Record<string, string> = {}, cwd = folder) {
  const child = spawn(process.execPath, ['--conditions=agent-relay-source', cli, ...args], {
    cwd,
    env: { ...compiledCode, PATH: process.env['PATH'] ?? '', HOME: folder, DB_PATH: relay.databasePath, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let out = '';
  let note = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    note += chunk;
  });
  const done = new Promise<{ code: number | null; out: string; note: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, out, note }));
  });
  return { child, done, out: () => out };
}
const run = (args: readonly string[], env: Record<string, string> = {}, cwd = folder) =>
  runHere(args, { env: { PATH: process.env['PATH'] ?? '', HOME: folder, DB_PATH: relay.databasePath, ...env }, cwd });

const numberIn = (out: string): string => /pair (\d+)/u.exec(out)?.[1] ?? '';

describe('pair', () => {
  test('invite, accept, send, status and hang up from the command line', async () => {
    const invited = await run(['pair', 'codex', '--objective', 'fix it', '--from', 'A']);
    expect(invited).toMatchObject({ code: 0, out: expect.stringMatching(/^pair \d+: A and B, pending: fix it\n$/u) });
    const id = numberIn(invited.out);
    expect((await run(['pair', 'accept', id, '--agent', 'B'])).out).toBe(`pair ${id}: A and B, active: fix it\n`);
    expect((await run(['pair', 'send', id, '--from', 'A', '--body', 'hello'])).out).toMatch(
      new RegExp(`^\\[msg:\\d+\\] to id:B in pair ${id}\\n$`, 'u'),
    );
    expect((await owner.inbox.list({ id: 'B', peek: true })).data.at(-1)?.message).toMatchObject({
      from: 'A',
      body: 'hello',
      meta: { pairId: Number(id) },
    });
    expect((await run(['pair', 'status'], { AGENT_RELAY_ID: 'B' })).out).toBe(`pair ${id}: A and B, active: fix it\n`);
    expect((await run(['pair', 'hangup', id, '--agent', 'B', '--reason', 'done'])).out).toBe(`pair ${id}: A and B, ended (done): fix it\n`);
    expect(await run(['pair', 'status', '--agent', 'B'])).toMatchObject({ code: 0, out: '', note: 'B is in no pair.\n' });
  });

  test('a declined invitation, a busy target and an ambiguous one are one sentence each', async () => {
    const id = numberIn((await run(['pair', 'B', '--objective', 'x', '--from', 'A'])).out);
    await owner.agents.register({ id: 'C', name: 'C', provider: 'claude' });
    expect(await run(['pair', 'B', '--objective', 'x', '--from', 'C'])).toMatchObject({
      code: 1,
      note: `error: B has an open invitation with A (pair ${id}); agent-relay pair hangup ${id} ends it (busy)\n`,
    });
    expect((await run(['pair', 'reject', id, '--agent', 'B', '--reason', 'no time'])).out).toContain('rejected (no time)');
    expect(await run(['pair', 'claude', '--objective', 'x', '--from', 'B'])).toMatchObject({
      code: 1,
      note: 'error: 2 agents that are there are called claude: name one; one of: id:A, id:C (ambiguous_target)\n',
    });
    const wrong = await Promise.all([
      run(['pair', 'B']),
      run(['pair', 'accept', 'x']),
      run(['pair', 'send', '1']),
      run(['pair', 'send', '1', ' ']),
    ]);
    expect(wrong.map(({ code }) => code)).toEqual([2, 2, 2, 2]);
  });
});

describe('slash forms', () => {
  test('pair and disconnect act for the agent whose session it is', async () => {
    // What a host sets for the agents it runs.
    const session = { AGENT_RELAY_AGENT_ID: 'A' };
    const id = numberIn((await run(['/pair', 'codex', 'look at this'], session)).out);
    expect(await owner.pairs.get({ id: Number(id) })).toMatchObject({ requester: 'A', target: 'B', objective: 'look at this' });
    expect((await run(['/status'], session)).out).toMatch(
      new RegExp(`^A: online, label -, tags -\\npair ${id}: A and B, pending: look at this\\nwaiting mail: 0\\n$`, 'u'),
    );
    expect((await run(['/disconnect'], session)).out).toContain('ended');
    expect(await run(['/disconnect'], session)).toMatchObject({ code: 1, note: 'error: A is in no pair\n' });
    expect(await run(['/disconnect', id], session)).toMatchObject({ code: 0 });
  });

  test('messages speak as --from, else AGENT_RELAY_ID, else the hosted agent, else the owner', async () => {
    const env = { AGENT_RELAY_ID: 'A', AGENT_RELAY_AGENT_ID: 'B' };
    await run(['/message', 'owner', 'one', '--from', 'B'], env);
    await run(['/message', 'owner', 'two'], env);
    await run(['send', 'owner', 'three'], { AGENT_RELAY_AGENT_ID: 'B' });
    await run(['/message', 'owner', 'four']);
    const { data } = await owner.messages.list({ to: 'owner' });
    expect(data.map(({ from, body }) => [from, body])).toEqual([
      ['B', 'one'],
      ['A', 'two'],
      ['B', 'three'],
      ['owner', 'four'],
    ]);
  });

  test('claimable work, labels and tags', async () => {
    const session = { AGENT_RELAY_ID: 'A' };
    expect((await run(['/send-claimable', 'B', 'review this'], session)).out).toMatch(/reached 1 agent\n$/u);
    expect((await owner.work.list({ for: 'B' })).data[0]?.message).toMatchObject({ from: 'A', claimable: true });
    expect((await run(['/label', 'the fixer'], session)).out).toBe('A: online, label the fixer, tags -\n');
    expect((await run(['/tags', 'backend', 'urgent'], session)).out).toBe('A: online, label the fixer, tags backend,urgent\n');
    expect((await run(['/label'], session)).out).toContain('label the fixer');
    await run(['/label', '--clear'], session);
    expect((await run(['/tags', '--clear'], session)).out).toBe('A: online, label -, tags -\n');
    expect(await run(['/label', 'x'])).toMatchObject({ code: 2, note: 'error: say which agent: --agent <id>, or set AGENT_RELAY_ID\n' });
  });
});

describe('register', () => {
  test('the agent of a folder has one id, and says of itself what profile and environment say', async () => {
    const project = join(folder, 'Shop');
    mkdirSync(project);
    mkdirSync(join(folder, '.config', 'agent-relay'), { recursive: true });
    writeFileSync(
      join(folder, '.config', 'agent-relay', 'profiles.json'),
      JSON.stringify({ backend: { label: 'fixer', tags: ['backend'], capabilities: ['review'], approval: 'guarded' } }),
    );
    const first = await run(['register', '--profile', 'backend'], { AGENT_RELAY_TAGS: 'urgent' }, project);
    const id = first.out.trim();
    expect(id).toMatch(/-shop-[0-9a-f]{8}$/u);
    expect((await run(['register'], {}, project)).out.trim()).toBe(id);
    expect((await run(['register', '--session', 'two'], {}, project)).out.trim()).not.toBe(id);
    expect(await owner.agents.get({ id })).toMatchObject({
      label: 'fixer',
      tags: [],
      capabilities: ['chat'],
      approval: 'guarded',
      meta: { cwd: expect.stringContaining('Shop') },
    });
    const again = await run(['register', '--profile', 'backend', '--json'], { AGENT_RELAY_TAGS: 'urgent' }, project);
    expect(JSON.parse(again.out)).toMatchObject({ id, tags: ['backend', 'urgent'], capabilities: ['review'] });
    const bad = await run(['register', '--profile', 'nobody'], {}, project);
    expect(bad).toMatchObject({ code: 1, out: '', note: expect.stringContaining('has no profile nobody; it has: backend') });
    writeFileSync(join(folder, '.config', 'agent-relay', 'profiles.json'), '{"backend":{"tags":"x"}}');
    expect(await run(['register', '--profile', 'backend'], {}, project)).toMatchObject({
      code: 2,
      note: expect.stringContaining('backend.tags'),
    });
  });

  test('--stay keeps it present, and its end takes it offline', async () => {
    const staying = start(['register', '--stay'], { AGENT_RELAY_ID: 'Here' });
    await poll('it is registered', () => staying.out() === 'Here\n');
    const online = (await owner.agents.get({ id: 'Here' })).status;
    staying.child.kill('SIGINT');
    expect([online, (await staying.done).code, (await owner.agents.get({ id: 'Here' })).status]).toEqual(['online', 0, 'offline']);
  });
});
