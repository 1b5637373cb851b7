import { type AgentEvent, type Principal, RelayError, type RelayEvent, type RouteInput, type Session } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../src/cli/run-cli.ts';
import { startTestRelay } from '../src/testing.ts';
import { as, FarNode, offered, owner, SessionWorld, workspace } from './session-world.ts';

let world: SessionWorld;
let node: FarNode;
let session: Session;
let seq: number;
beforeEach(async () => {
  world = await SessionWorld.open();
  node = new FarNode();
  await world.attach(node);
  session = await world.start('Worker', owner, { approval: 'guarded', tags: ['ci'] });
  seq = 0;
});
afterEach(() => world.close());

const ask = (approvalId: string, command = 'npm test'): AgentEvent => ({
  type: 'approval.requested',
  approvalId,
  kind: 'execute',
  title: command,
  cwd: '/fresh',
  input: { command },
  options: [{ id: 'allow', label: 'Allow', outcome: 'allow' }],
});
const say = (...events: AgentEvent[]) =>
  world.relay.nodeHandlers['activity/append'](
    { sessionId: session.sessionId, entries: events.map((event) => ({ seq: ++seq, at: 1, event })) },
    { ...as(owner), link: node },
  );
const create = (input: RouteInput<'rules/create'>, principal: Principal = owner) =>
  Promise.resolve().then(() => world.relay.handlers['rules/create'](input, as(principal)));
const rules = async (active?: boolean) =>
  (await world.relay.handlers['rules/list']({ ...(active === undefined ? {} : { active }) }, as(owner))).data;
const pending = async () =>
  (await world.relay.handlers['approvals/list']({ status: 'pending' }, as(owner))).data.map(({ approvalId }) => approvalId);
const ruleEvents = async () => {
  const { entries } = await world.store.log.read(0, 10_000);
  const all: RelayEvent[] = entries.flatMap((entry) => [...entry.events()]);
  return all.flatMap((event) => ('rule' in event ? [[event.type, event.rule.name, event.rule.uses]] : []));
};
const npm = { agentId: 'Worker', command: ['npm', 'test'], folder: '/fresh', name: 'tests' };

test('a rule answers what it understands, counts and tells each use by its name, and ends when it is used up', async () => {
  const { id } = await create({ ...npm, maxUses: 2 });
  await say(ask('a1'), ask('a2', 'npm test | tee x'), ask('a3', 'npm publish'));
  await expect.poll(pending).toEqual(['a3', 'a2']);
  await say(ask('a4', 'npm test -- --watch'), ask('a5'));
  await expect.poll(ruleEvents).toEqual([
    ['rule.created', 'tests', 0],
    ['rule.used', 'tests', 1],
    ['rule.used', 'tests', 2],
    ['rule.ended', 'tests', 2],
  ]);
  expect((await pending()).length).toBe(3);
  expect(node.commands.filter(({ name }) => name === 'session/resolve-approval').map(({ params }) => params)).toMatchObject([
    { approvalId: 'a1', outcome: 'allow', by: `rule:${id}` },
    { outcome: 'allow', by: `rule:${id}` },
  ]);
  const { data } = await world.relay.handlers['approvals/list']({ status: 'allowed' }, as(owner));
  expect(data.map(({ by }) => by)).toEqual([`rule:${id}`, `rule:${id}`]);
  expect([await rules(true), (await rules(false)).map(({ ended }) => ended)]).toEqual([[], ['used_up']]);
});

test('one for a tag holds for who has it; one that is revoked, or over, holds no longer; all outlive the relay', async () => {
  const { id } = await create({ tag: 'ci', command: ['npm'], folder: '/fresh', expiresAt: 1_000_050 });
  world.relay.nodeDetached(node);
  world = await world.restart();
  node = new FarNode();
  await world.attach(node, [offered(session, seq)]);
  await say(ask('a1'));
  await expect.poll(async () => (await rules())[0]?.uses).toBe(1);
  await expect.poll(pending).toEqual([]);
  world.clock.at = 1_000_050;
  await say(ask('a2'));
  await world.relay.reap();
  expect([await pending(), await rules()]).toMatchObject([['a2'], [{ id, ended: 'expired', endedBy: 'relay' }]]);
  const made = await create(npm);
  const revoked = await world.relay.handlers['rules/revoke']({ id: made.id }, as(owner));
  expect(revoked).toMatchObject({ ended: 'revoked', endedBy: 'owner' });
  await say(ask('a3'));
  await world.relay.close();
  expect(node.commands.filter(({ name }) => name === 'session/resolve-approval')).toHaveLength(1);
});

test('a rule is found behind a thousand others, and ends by itself behind them', async () => {
  const first = await create({ ...npm, expiresAt: 1_000_050 });
  for (let count = 0; count < 1_000; count += 1) await create({ ...npm, command: ['other', String(count)] });
  await say(ask('a1'));
  await expect.poll(pending, { timeout: 30_000 }).toEqual([]);
  world.clock.at = 1_000_050;
  await world.relay.reap();
  const found = async (active: boolean) =>
    (await world.relay.handlers['rules/list']({ active, limit: 1_000 }, as(owner))).data.map(({ id }) => id);
  expect(await found(false)).toEqual([first.id]);
  expect((await found(true)).length).toBe(1_000);
}, 60_000);

test('an agent, a program or a session that it starts gives itself a tag, and gets nobody’s yes by it', async () => {
  await create({ tag: 'deploy', command: ['git', 'push'], folder: '/fresh' });
  const worker: Principal = { type: 'agent', workspace, agentId: 'Worker', epoch: 1 };
  const handlers = world.relay.handlers;
  await handlers['agents/tags']({ id: 'Worker', tags: ['deploy'] }, as(worker));
  await say(ask('a1', 'git push --force'));
  await handlers['agents/register']({ id: 'Worker', name: 'Worker', tags: ['deploy', 'x'], instanceId: session.instanceId }, as(worker));
  await say(ask('a2', 'git push --force'));
  const mine = session;
  session = await world.start('Child', worker, { tags: ['deploy'] });
  expect(world.agent('Child').tags).toEqual(['deploy']);
  seq = 0;
  await say(ask('a3', 'git push --force'));
  await create({ agentId: 'Child', command: ['npm'], folder: '/fresh' });
  await say(ask('a4'));
  await expect.poll(pending).toEqual(['a3', 'a2', 'a1']);
  await handlers['agents/tags']({ id: 'Worker', tags: ['deploy'] }, as(owner));
  session = mine;
  seq = 2;
  await say(ask('a5', 'git push'));
  await expect.poll(async () => (await rules()).map(({ uses }) => uses)).toEqual([1, 1]);
});

test('what an agent asks itself a rule answers as well: at once, or when it is made from the question', async () => {
  await world.relay.handlers['agents/register']({ name: 'Live', instanceId: 'i1' }, as(owner));
  const asks = (approvalId: string, command: string) =>
    world.relay.handlers['approvals/ask'](
      { id: 'Live', approvalId, kind: 'execute', title: command, cwd: '/srv', input: { command } },
      as(owner),
    );
  const { id } = await create({ agentId: 'Live', command: ['npm', 'test'], folder: '/srv' });
  expect(await asks('q1', 'npm test')).toMatchObject({ status: 'allowed', by: `rule:${id}` });
  expect(await asks('q1', 'npm test')).toMatchObject({ status: 'allowed', by: `rule:${id}` });
  expect(await asks('q2', 'git status')).toMatchObject({ status: 'pending' });
  const made = await create({ agentId: 'Live', approvalId: 'q2' });
  expect(made.uses).toBe(1);
  expect(await asks('q2', 'git status')).toMatchObject({ status: 'allowed', by: `rule:${made.id}` });
  expect((await rules()).map(({ uses }) => uses)).toEqual([1, 1]);
});

test('one that is revoked while another answer is on its way answers no more', async () => {
  await say(ask('a1'));
  let refuse = () => {};
  let deliveries = 0;
  node.onApproval = () => {
    deliveries += 1;
    return new Promise((_, reject) => {
      refuse = () => reject(new RelayError('connection_closed', 'gone'));
    });
  };
  const denied = world.relay.handlers['approvals/resolve']({ id: 'Worker', approvalId: 'a1', outcome: 'deny' }, as(owner));
  await expect.poll(() => deliveries).toBe(1);
  const creating = create({ agentId: 'Worker', approvalId: 'a1' });
  await expect.poll(async () => (await rules())[0]?.uses).toBe(1);
  const [{ id } = { id: 0 }] = await rules();
  await world.relay.handlers['rules/revoke']({ id }, as(owner));
  refuse();
  await expect(denied).rejects.toMatchObject({ code: 'node_unavailable' });
  expect(await creating).toMatchObject({ id, ended: 'revoked' });
  expect([deliveries, await pending()]).toEqual([1, ['a1']]);
});

test('one that is made from a question answers it, and what it could not answer stays open', async () => {
  await say(ask('a1'), ask('a2', 'npm test > x'));
  expect(await create({ agentId: 'Worker', approvalId: 'a1' })).toMatchObject({ name: 'npm test in /fresh', uses: 1 });
  expect(await pending()).toEqual(['a2']);
  await expect(create({ agentId: 'Worker', approvalId: 'a2' })).rejects.toMatchObject({ code: 'validation_failed' });
  await expect(create({ agentId: 'Worker', approvalId: 'zz' })).rejects.toMatchObject({ code: 'not_found' });
  await expect(create({ tag: 'ci', approvalId: 'a1' })).rejects.toMatchObject({ code: 'validation_failed' });
  node.onApproval = async () => ({ resolved: false });
  await say(ask('a3'));
  await expect.poll(async () => (await rules())[0]?.uses).toBe(2);
  expect(await pending()).toEqual(['a3', 'a2']);
  expect((await ruleEvents()).filter(([type]) => type === 'rule.used')).toHaveLength(1);
});

test('only who may answer may make one; an agent sees those for itself', async () => {
  const worker: Principal = { type: 'agent', workspace, agentId: 'Worker', epoch: 1 };
  const narrow: Principal = {
    ...{ type: 'token', kind: 'scoped', workspace, tokenId: 't', name: 'phone', agentId: null, channels: null },
    ...{ scopes: ['approvals:read', 'approvals:write'], targets: ['id:Other'] },
  };
  await expect(create(npm, worker)).rejects.toMatchObject({ code: 'forbidden' });
  for (const input of [npm, { ...npm, agentId: undefined, tag: 'ci' }])
    await expect(create(input, narrow)).rejects.toMatchObject({ code: 'forbidden_target' });
  const { id } = await create(npm, { ...narrow, targets: null });
  await expect(Promise.resolve().then(() => world.relay.handlers['rules/revoke']({ id }, as(narrow)))).rejects.toMatchObject({
    code: 'forbidden_target',
  });
  expect((await world.relay.handlers['rules/list']({ agent: 'Worker' }, as(worker))).data).toMatchObject([
    { id, createdBy: 'token:phone' },
  ]);
  await expect(Promise.resolve().then(() => world.relay.handlers['rules/list']({}, as(worker)))).rejects.toMatchObject({
    code: 'forbidden',
  });
});

test('people make, see and revoke them at a terminal; an agent in its session does not', async () => {
  await using relay = await startTestRelay();
  await relay.relay.handlers['agents/register']({ id: 'Worker', name: 'Worker' }, as(owner));
  const cli = async (env: Record<string, string>, ...args: string[]) => {
    const out: string[] = [];
    const note = (line: string) => void out.push(line);
    const io = { env: { HOME: '/nonexistent', ...env }, cwd: '/', signal: new AbortController().signal, out: note, note, ask: null };
    const code = await runCli([...args, '--url', relay.url, '--token', relay.ownerToken], io);
    return [code, out.join('\n')];
  };
  expect(await cli({}, 'rules')).toEqual([0, 'No rule holds: agents ask each time.']);
  const add = ['rules', 'add', 'npm', 'test', '--agent', 'Worker', '--folder', '/srv', '--for', '8h', '--uses', '3'];
  expect(await cli({ AGENT_RELAY_AGENT_ID: 'Worker' }, ...add)).toEqual([1, expect.stringContaining('a person decides')]);
  expect(await cli({}, 'rules', 'add', 'npm')).toEqual([2, expect.stringContaining('--agent or --tag')]);
  expect(await cli({}, 'rules', 'add', 'npm', '--agent', 'Worker', '--for', 'ever')).toEqual([2, expect.stringContaining('30m')]);
  expect(await cli({}, ...add)).toEqual([0, expect.stringMatching(/^Rule \d+ holds: npm test in \/srv$/u)]);
  const [, listed] = await cli({}, 'rules');
  expect(listed).toMatch(/^ID .*\n\d+ +Worker +npm test +\/srv +0\/3 +\d{4}-.* npm test in \/srv$/u);
  const [{ id } = { id: 0 }] = (await relay.relay.handlers['rules/list']({}, as(owner))).data;
  expect(await cli({}, 'rules', 'revoke', `${id}`)).toEqual([0, `Rule ${id} holds no longer: npm test in /srv`]);
  // One that holds for good does not look like the one that was revoked.
  await cli({}, 'rules', 'add', 'ls', '--agent', 'Worker', '--folder', '/srv');
  const [, all = ''] = await cli({}, 'rules', '--all');
  expect(all).toMatch(/ npm test .* over: revoked /u);
  expect(all).toMatch(/ ls .* it is revoked /u);
});
