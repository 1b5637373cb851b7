import { type AgentEvent, type MethodParams, PROTOCOL_VERSION } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { as, FarNode, owner, SessionWorld, workspace } from './session-world.ts';

let world: SessionWorld;
let node: FarNode;
const told = new Map<string, number>();
beforeEach(async () => {
  told.clear();
  world = await SessionWorld.open();
  node = new FarNode();
  await world.attach(node);
  for (const id of ['Ann', 'Ben']) await world.start(id);
});
afterEach(() => world.close());

const call = {
  create: (agentId: string, patterns: string[], over: object = {}) =>
    Promise.resolve().then(() => world.relay.handlers['reservations/create']({ agentId, folder: '/work', patterns, ...over }, as(owner))),
  createItself: (agentId: string, patterns: string[], over: object = {}) =>
    Promise.resolve().then(() =>
      world.relay.handlers['reservations/create'](
        { folder: '/fresh', patterns, ...over },
        as({ type: 'agent', workspace, agentId, epoch: 1 }),
      ),
    ),
  renew: (id: number, agentId: string) =>
    Promise.resolve().then(() => world.relay.handlers['reservations/renew']({ id, agentId }, as(owner))),
  release: (id: number, agentId: string) =>
    Promise.resolve().then(() => world.relay.handlers['reservations/release']({ id, agentId }, as(owner))),
  list: async (over: object = {}) => (await world.relay.handlers['reservations/list'](over, as(owner))).data.map(({ id }) => id),
};

const asks = async (agentId: string, approvalId: string, path: string, over: object = {}) => {
  const { data } = await world.relay.handlers['sessions/list']({ agent: agentId }, as(owner));
  const event: AgentEvent = {
    type: 'approval.requested',
    approvalId,
    kind: 'edit',
    title: 'Edit',
    cwd: '/work',
    input: { file_path: path, content: 'x' },
    options: [{ id: 'allow', label: 'Allow', outcome: 'allow' }],
    ...over,
  };
  const sessionId = data[0]?.sessionId ?? '';
  const seq = (told.get(agentId) ?? 0) + 1;
  told.set(agentId, seq);
  const entries = [{ seq, at: 1, event }];
  await world.relay.nodeHandlers['activity/append']({ sessionId, entries }, { ...as(owner), link: node });
};

test('of those who want the same files one has them while either insists; else all are told of each other', async () => {
  const [first, second] = await Promise.allSettled([
    call.create('Ann', ['src/auth/'], { enforced: true }),
    call.create('Ben', ['src/**/*.ts'], { enforced: true }),
  ]);
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'already_claimed', details: { agentId: 'Ann' } } });
  if (first.status !== 'fulfilled') throw new Error('The first is refused');
  await expect(call.create('Ben', ['src/auth/login.ts'])).rejects.toThrow(/^Ann has reserved src\/auth\/ until /u);
  const docs = await call.create('Ben', ['docs/*.md']);
  const same = await call.create('Ann', ['**/*.md']);
  expect(same.conflicts.map(({ id, agentId }) => [id, agentId])).toEqual([[docs.id, 'Ben']]);
  expect(await call.list({ file: '/work/docs/a.md' })).toEqual([same.id, docs.id]);
  expect(await call.list({ agent: 'Ben' })).toEqual([docs.id]);
  await expect(call.release(first.value.id, 'Ben')).rejects.toMatchObject({ code: 'forbidden' });
  await call.release(first.value.id, 'Ann');
  expect((await call.create('Ben', ['src/auth/login.ts'], { enforced: true })).conflicts).toEqual([]);
});

test('a lease that is over keeps nobody from anything, is renewed no more, and its end is told once', async () => {
  const { id } = await call.create('Ann', ['a'], { enforced: true, leaseMs: 10_000 });
  world.clock.at += 9_000;
  await call.renew(id, 'Ann');
  world.clock.at += 500_000;
  expect(await call.list()).toEqual([id]);
  world.clock.at += 101_000;
  expect(await call.list()).toEqual([]);
  await expect(call.renew(id, 'Ann')).rejects.toMatchObject({ code: 'claim_closed' });
  const later = await call.create('Ben', ['a'], { enforced: true });
  expect(later.id).toBeGreaterThan(id);
  const ended = async () => {
    const { entries } = await world.store.log.read(0, 1_000);
    return entries.flatMap((entry) => entry.events()).filter((event) => event.type === 'reservation.ended');
  };
  await world.relay.reap();
  await world.relay.reap();
  expect(await ended()).toMatchObject([{ reservation: { id, ended: 'expired' } }]);
});

test('what an agent has ends with its session or with itself, and what comes after has a higher number', async () => {
  const ended = async () => {
    const { entries } = await world.store.log.read(0, 1_000);
    const events = entries.flatMap((entry) => entry.events());
    return events.flatMap((event) => (event.type === 'reservation.ended' ? [[event.reservation.id, event.reservation.ended]] : []));
  };
  const first = await call.create('Ann', ['a'], { enforced: true });
  await call.release(first.id, 'Ann');
  const second = await call.create('Ann', ['a'], { enforced: true });
  expect(second.id).toBeGreaterThan(first.id);
  await expect(call.renew(first.id, 'Ann')).rejects.toMatchObject({ code: 'claim_closed' });
  await world.relay.handlers['agents/release']({ id: 'Ann' }, as(owner));
  const third = await call.create('Ben', ['a'], { enforced: true });
  // Reserved for one that is not there, it stays while others write of that one.
  const away = await call.create('Ann', ['b']);
  await world.relay.handlers['agents/label']({ id: 'Ann', label: 'away' }, as(owner));
  expect(await call.list()).toEqual([away.id, third.id]);
  await world.relay.handlers['agents/release']({ id: 'Ben' }, as(owner));
  await world.relay.handlers['agents/remove']({ id: 'Ann' }, as(owner));
  expect(await call.list()).toEqual([]);
  expect(await ended()).toEqual([
    [first.id, 'released'],
    [second.id, 'left'],
    [third.id, 'left'],
    [away.id, 'left'],
  ]);
});

test('an agent has so many, and the owner reserves more for it', async () => {
  const own = (index: number) => call.createItself('Ann', [`${index}`]);
  for (let index = 0; index < 16; index += 1) await own(index);
  await expect(own(16)).rejects.toMatchObject({ code: 'rate_limited' });
  await call.create('Ann', ['more']);
  expect(await call.list({ limit: 50 })).toHaveLength(17);
});

test('an agent of a machine reserves where it works, one in safe mode nothing, and one that may change everything anywhere', async () => {
  await world.start('Safe', owner, { mode: 'safe', cwd: '/work' });
  await world.start('Agentic', owner, { mode: 'agentic', cwd: '/work' });
  await world.start('Free', owner, { mode: 'unrestricted', cwd: '/work' });
  const inFolder = (agentId: string, folder: string) => call.createItself(agentId, ['a'], { folder });
  await expect(inFolder('Safe', '/work')).rejects.toThrow('folder: Safe is in safe mode');
  await expect(inFolder('Agentic', '/workshop')).rejects.toThrow('Agentic works in /work, and reserves files there');
  await inFolder('Agentic', '/work/sub');
  await inFolder('Free', '/anywhere');
  await call.create('Safe', ['b']);
});

test('a question to edit what another has for itself is answered with no, by name, before any rule; its holder and others are not kept', async () => {
  const answers: MethodParams<'session/resolve-approval'>[] = [];
  node.onApproval = async (params) => {
    answers.push(params);
    return { resolved: true };
  };
  const { id } = await call.create('Ann', ['src/'], { enforced: true });
  await world.relay.handlers['rules/create']({ agentId: 'Ben', kind: 'edit', folder: '/work' }, as(owner));
  await asks('Ben', 'q1', '/work/src/a.ts');
  await vi.waitFor(() => expect(answers).toHaveLength(1), { timeout: 60_000 });
  expect(answers[0]).toMatchObject({
    approvalId: 'q1',
    outcome: 'deny',
    by: `reservation:${id}`,
    message: expect.stringMatching(/^Ann has reserved these files until /u),
  });
  await asks('Ann', 'q2', '/work/src/a.ts');
  await call.release(id, 'Ann');
  const { data } = await world.relay.handlers['approvals/list']({ agent: 'Ann' }, as(owner));
  expect(data).toMatchObject([{ approvalId: 'q2', status: 'pending' }]);
  expect(answers).toHaveLength(1);
});

test('one that is held is found behind all that were, however much they say; those end with the next of their agent, or when they are swept', async () => {
  const { id } = await call.create('Ann', ['src/'], { enforced: true, leaseMs: 3_600_000 });
  const fat = { folder: `/${'f'.repeat(1_000)}`, note: 'n'.repeat(200), leaseMs: 10_000 };
  const agents = Array.from({ length: 8 }, (_, index) => `Fat-${index}`);
  for (const agent of agents) {
    await world.start(agent);
    for (let count = 0; count < 16; count += 1) await call.create(agent, Array(8).fill('x'.repeat(100)), fat);
  }
  await expect(call.createItself('Fat-0', ['x'])).rejects.toMatchObject({ code: 'rate_limited' });
  world.clock.at += 11_000;
  await asks('Ben', 'q1', '/work/src/a.ts');
  await vi.waitFor(
    async () => {
      const { data } = await world.relay.handlers['approvals/list']({ agent: 'Ben' }, as(owner));
      expect(data).toMatchObject([{ approvalId: 'q1', status: 'denied', by: `reservation:${id}` }]);
    },
    { timeout: 60_000 },
  );
  const ended = async () => (await world.eventTypes()).filter((type) => type === 'reservation.ended').length;
  await call.create('Fat-0', ['x'], { leaseMs: 3_600_000 });
  expect(await ended()).toBe(16);
  await world.relay.reap();
  expect(await ended()).toBe(128);
});

test.each<[string, object]>([
  ['much content', { input: { file_path: '/work/src/a.ts', content: 'x'.repeat(20_000) } }],
  ['a relative path', { input: { file_path: 'src/a.ts' } }],
  ['a path that goes back up', { input: { file_path: '/work/lib/../src/./a.ts' } }],
  ['a field that nobody here knows', { input: { file_path: '/work/src/a.ts', expected_replacements: 1 } }],
  ['a reason beside the changes', { input: { reason: 'r', changes: [{ path: 'lib/a', change: 'moved', movedTo: 'src/a' }] } }],
  ['changes by their files', { input: { changes: { '/work/src/a.ts': { kind: 'update' } } } }],
  ['no folder', { cwd: undefined, input: { path: '/work/src/a.ts', new_string: 'x' } }],
  ['a kind of its own', { kind: 'other', input: { path: '/work/src/a.ts' } }],
  ['no file at all', { input: { patch: '*** Update File: src/a.ts' } }],
  ['no file at all, and no folder', { cwd: undefined, input: 'patch' }],
  ['a link that leads there', { input: { file_path: '/work/door/a.ts' }, linkedFiles: ['/work/src/a.ts'] }],
  ['a command that writes there', { kind: 'execute', input: { command: 'npm test && echo x > src/a.ts' } }],
  ['a command that names them by a pattern', { kind: 'execute', input: { command: 'rm s[r]c/*.ts' } }],
  ['a command that removes everything', { kind: 'execute', input: { command: 'rm -rf /' } }],
  [
    'a command that names very many',
    {
      kind: 'execute',
      input: { command: `rm ${'lib/x.ts '.repeat(2)}${Array.from({ length: 300 }, (_, index) => `lib/${index}`).join(' ')} src/a.ts` },
    },
  ],
  ['a command that names them by alternatives', { kind: 'execute', input: { command: 'rm {lib/b,src/a}.ts' } }],
  ['a command that names them by alternatives of alternatives', { kind: 'execute', input: { command: 'rm s{r,{x,y}}c/a.ts' } }],
  ['a command that removes their folder', { kind: 'execute', input: { command: 'rm -rf .' } }],
  ['a command through a link', { kind: 'execute', input: { command: 'rm -r door' }, linkedFiles: ['/work/src/'] }],
])('an edit is kept from reserved files with %s', async (_, over) => {
  const { id } = await call.create('Ann', ['src/'], { enforced: true });
  await asks('Ben', 'q1', '/work/src/a.ts', over);
  const status = async () => (await world.relay.handlers['approvals/list']({ agent: 'Ben' }, as(owner))).data[0];
  await vi.waitFor(async () => expect(await status()).toMatchObject({ status: 'denied', by: `reservation:${id}` }), { timeout: 60_000 });
});

test('an edit elsewhere waits for a person, whatever it looks like', async () => {
  await call.create('Ann', ['src/'], { enforced: true });
  await asks('Ben', 'q1', '/work/lib/a.ts', { input: { file_path: 'src/../lib/a.ts', content: 'x'.repeat(20_000) } });
  await asks('Ben', 'q2', '', { cwd: '/other', input: { patch: 'p' } });
  await asks('Ben', 'q3', '', { kind: 'other', input: { query: 'q' } });
  await asks('Ben', 'q5', '', { kind: 'execute', input: { command: 'cat src/a.ts > lib/b.ts; rm src.old' } });
  await world.relay.handlers['rules/create']({ agentId: 'Ben', kind: 'edit', folder: '/elsewhere' }, as(owner));
  await asks('Ben', 'q4', '/elsewhere/a.ts', { cwd: '/elsewhere' });
  const { data } = await world.relay.handlers['approvals/list']({ agent: 'Ben' }, as(owner));
  expect(new Set(data.map(({ approvalId, status }) => `${approvalId} ${status}`).filter((each) => !each.startsWith('q4')))).toEqual(
    new Set(['q1 pending', 'q2 pending', 'q3 pending', 'q5 pending']),
  );
});

test('while somebody asks what is too much to be compared, whatever else there is to do goes on, and the answer is no, with the reason', async () => {
  for (let count = 0; count < 16; count += 1) await call.create('Ann', Array(8).fill(`**/*${'a'.repeat(90)}b`), { enforced: true });
  // In time of this process's own: others may keep the machine from it.
  const usedMs = () => Object.values(process.cpuUsage()).reduce((sum, part) => sum + part, 0) / 1_000;
  const waits: number[] = [];
  let turnAt = usedMs();
  const turn = () => {
    const now = usedMs();
    waits.push(now - turnAt);
    turnAt = now;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  const files = Array.from({ length: 2 }, () => `/work/${'a'.repeat(1_000)}`);
  const check = world.relay.handlers['reservations/check']({ agentId: 'Ben', kind: 'other', files }, as(owner));
  expect(await check).toEqual({
    holder: expect.objectContaining({ agentId: 'Ann' }),
    reason: expect.stringMatching(
      /^Ann has reserved .* and this names too much to be compared with that: name fewer files at once, or ask it$/u,
    ),
  });
  clearImmediate(next);
  // To be compared in one go it takes seconds.
  expect(Math.max(...waits)).toBeLessThan(200);
  const one = { agentId: 'Ben', kind: 'edit' as const, files: ['/work/src/a.ts'] };
  expect(await world.relay.handlers['reservations/check'](one, as(owner))).toEqual({ holder: null, reason: null });
});

test('patterns that are too much to be compared with those of others count as the same files', async () => {
  const slow = Array(8).fill(`*${'a'.repeat(48)}b`);
  for (let count = 0; count < 16; count += 1) await call.create('Ann', slow);
  const names = Array.from({ length: 8 }, (_, index) => `${'a'.repeat(98)}${index}`);
  await expect(call.create('Ben', names, { enforced: true })).rejects.toMatchObject({
    code: 'already_claimed',
    details: { agentId: 'Ann' },
  });
  expect((await call.create('Ben', ['src/a.ts'], { enforced: true })).conflicts).toEqual([]);
});

test('whoever enforces a reservation is told who works there and is asked nothing before it changes a file', async () => {
  const online = async (id: string, cwd: string, over: object = {}) =>
    world.relay.handlers['agents/register']({ id, name: id, meta: { cwd }, ...over }, as(owner));
  const abilities = { steer: 'waits', approvals: true, diffs: true, resume: false, modes: ['safe', 'agentic'], sandbox: [] } as const;
  const kind = (id: string, reserves: boolean) => ({
    ...{ id, available: true, version: '1', reason: null },
    abilities: { ...abilities, modes: [...abilities.modes], sandbox: [], reserves },
  });
  const params = {
    name: 'desk',
    version: '1',
    protocol: PROTOCOL_VERSION,
    providers: [kind('asking', true), kind('silent', false)],
    sessions: [],
  };
  await world.relay.nodeHandlers['nodes/attach'](params, { ...as(owner), link: new FarNode() });
  await world.start('Held', owner, { provider: 'asking', mode: 'agentic', cwd: '/work' });
  await world.start('Free', owner, { provider: 'silent', mode: 'agentic', cwd: '/work/src' });
  await world.start('Elsewhere', owner, { provider: 'silent', mode: 'agentic', cwd: '/other' });
  await world.start('Reader', owner, { provider: 'silent', mode: 'safe', cwd: '/work' });
  await online('Plugin', '/work');
  await online('Asking', '/work', { meta: { cwd: '/work', reserves: true } });
  await online('Away', '/work', { status: 'offline' });
  await online('Person', '/work', { kind: 'user' });
  expect((await call.create('Ann', ['src/'], { enforced: true })).unheld).toEqual(['Free', 'Plugin']);
  expect((await call.create('Ann', ['lib/a.ts'], { enforced: true })).unheld).toEqual(['Plugin']);
  expect(await call.create('Ann', ['docs/'])).not.toHaveProperty('unheld');
});
