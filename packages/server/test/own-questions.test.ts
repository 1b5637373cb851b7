import type { Principal } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { as, FarNode, owner, SessionWorld, workspace } from './session-world.ts';

let world: SessionWorld;
beforeEach(async () => {
  world = await SessionWorld.open();
  await world.relay.handlers['agents/register']({ name: 'Live', instanceId: 'i1', withToken: true }, as(owner));
});
afterEach(() => world.close());

const live: Principal = { type: 'agent', workspace, agentId: 'Live', epoch: 1 };
const question = { approvalId: 'q1', kind: 'execute' as const, title: 'Bash: npm test', input: { command: 'npm test' } };
const ask = (input: object = {}, principal: Principal = live) =>
  Promise.resolve().then(() => world.relay.handlers['approvals/ask']({ id: 'Live', ...question, ...input }, as(principal)));
const answer = (principal: Principal = owner) =>
  Promise.resolve().then(() =>
    world.relay.handlers['approvals/resolve']({ id: 'Live', approvalId: 'q1', outcome: 'deny', message: 'not now' }, as(principal)),
  );
const withdraw = () =>
  world.relay.handlers['approvals/withdraw']({ id: 'Live', approvalId: 'q1', message: 'answered at its terminal' }, as(live));
const listed = async () => (await world.relay.handlers['approvals/list']({}, as(owner))).data;

it('an agent that no machine runs asks a person, and waits for the answer', async () => {
  const waiting = ask({ waitMs: 20_000 });
  await expect.poll(async () => (await listed()).length).toBe(1);
  expect(await listed()).toMatchObject([{ ...question, agentId: 'Live', sessionId: 'own/1/Live', status: 'pending' }]);
  const denied = { approvalId: 'q1', status: 'denied', by: 'owner', message: 'not now' };
  expect(await answer()).toMatchObject(denied);
  expect(await waiting).toMatchObject(denied);
  // Asked again under its id, it tells how it stands and asks nobody.
  expect(await ask()).toMatchObject(denied);
  expect(await listed()).toHaveLength(1);
});

it('who is first wins: a person, or whoever sits where the agent runs', async () => {
  await ask();
  expect(await withdraw()).toMatchObject({ status: 'cancelled', by: 'session', message: 'answered at its terminal' });
  await expect(answer()).rejects.toMatchObject({ code: 'already_resolved', details: { status: 'cancelled', by: 'session' } });
  expect(await withdraw()).toMatchObject({ status: 'cancelled' });
});

it('an agent neither answers itself nor asks in another name', async () => {
  await ask();
  await expect(answer(live)).rejects.toMatchObject({ code: 'forbidden' });
  await expect(ask({}, { ...live, agentId: 'Other' })).rejects.toMatchObject({ code: 'forbidden' });
  await expect(ask({ approvalId: 'q2' }, { ...live, epoch: 0 })).rejects.toMatchObject({ code: 'stale_session' });
  expect(await listed()).toHaveLength(1);
});

it('what an agent asks is its own, whatever another one calls its process', async () => {
  const node = new FarNode();
  await world.attach(node);
  const { sessionId } = await world.start('Hosted');
  const options = [{ id: 'y', label: 'Yes', outcome: 'allow' as const }];
  const event = { type: 'approval.requested' as const, approvalId: 'q1', kind: 'execute' as const, title: 'theirs', options };
  await world.relay.nodeHandlers['activity/append']({ sessionId, entries: [{ seq: 1, at: 1, event }] }, { ...as(owner), link: node });
  await ask();
  for (const [name, instanceId] of [
    ['Same', 'i1'],
    ['Thief', sessionId],
  ] as const) {
    await world.relay.handlers['agents/register']({ name, instanceId, withToken: true }, as(owner));
    const other: Principal = { type: 'agent', workspace, agentId: name, epoch: 1 };
    await expect(
      Promise.resolve().then(() => world.relay.handlers['approvals/withdraw']({ id: name, approvalId: 'q1' }, as(other))),
    ).rejects.toMatchObject({ code: 'not_found' });
    expect(await ask({ id: name, title: 'mine' }, other)).toMatchObject({ agentId: name, title: 'mine', status: 'pending' });
  }
  expect((await listed()).map(({ agentId, status }) => `${agentId} ${status}`)).toEqual([
    'Thief pending',
    'Same pending',
    'Live pending',
    'Hosted pending',
  ]);
});

it('what it asked is over when it goes, and nobody can answer it', async () => {
  await ask();
  await world.relay.handlers['agents/status']({ id: 'Live', status: 'offline' }, as(live));
  expect(await listed()).toMatchObject([{ status: 'cancelled', by: 'session', message: 'Live went offline' }]);
  await expect(answer()).rejects.toMatchObject({ code: 'already_resolved' });
});

it.each([{ kind: 'edit' }, { title: 'Bash: rm' }, { cwd: '/' }, { input: { command: 'rm -rf /' } }, { input: undefined }])(
  'an id that was used is not good for another question: %j',
  async (other) => {
    await ask();
    await answer();
    await expect(ask(other)).rejects.toMatchObject({ code: 'idempotency_mismatch' });
    expect(await listed()).toMatchObject([{ ...question, status: 'denied' }]);
  },
);

it('it asks a hundred things at once, and not one more', async () => {
  for (let n = 0; n < 100; n += 1) await ask({ approvalId: `q${n}` });
  await expect(ask({ approvalId: 'more' })).rejects.toMatchObject({ code: 'rate_limited' });
});

it('an answer has one time, in the question and in the log, whoever asked', async () => {
  const node = new FarNode();
  await world.attach(node);
  const { sessionId } = await world.start('Hosted');
  const options = [{ id: 'n', label: 'No', outcome: 'deny' as const }];
  const event = { type: 'approval.requested' as const, approvalId: 'q1', kind: 'execute' as const, title: 'theirs', options };
  await world.relay.nodeHandlers['activity/append']({ sessionId, entries: [{ seq: 1, at: 1, event }] }, { ...as(owner), link: node });
  await ask();
  vi.spyOn(world.clock, 'now').mockImplementation(() => ++world.clock.at);
  for (const id of ['Live', 'Hosted']) {
    const { resolvedAt } = await world.relay.handlers['approvals/resolve']({ id, approvalId: 'q1', outcome: 'deny' }, as(owner));
    const { entries } = await world.store.log.read(0, 1_000);
    const told = entries.flatMap((entry) => [...entry.events()]).findLast(({ type }) => type === 'approval.resolved');
    expect(told?.at).toBe(resolvedAt);
  }
});
