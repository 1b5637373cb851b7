import { RelayError } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { as, FarNode, offered, owner, SessionWorld } from './session-world.ts';

let world: SessionWorld;
let node: FarNode;
const others: SessionWorld[] = [];

beforeEach(async () => {
  world = await SessionWorld.open();
  node = new FarNode();
  await world.attach(node);
});

afterEach(async () => {
  for (const each of [world, ...others.splice(0)]) await each.close();
});

/** What is left of the world when the relay ends once this was written. */
async function killedAfter<Port extends object>(port: Port, write: keyof Port & string, act: () => unknown): Promise<SessionWorld> {
  const after = await world.killedAfter(port, write, act);
  others.push(after);
  return after;
}

const append = (sessionId: string, seq: number, event: object) =>
  world.relay.nodeHandlers['activity/append'](
    { sessionId, entries: [{ seq, at: 1, event }] } as Parameters<(typeof world.relay.nodeHandlers)['activity/append']>[0],
    { ...as(owner), link: node },
  );

it('a session goes on with the conversation that its activity named last, wherever the relay ended', async () => {
  const session = await world.start('Worker');
  expect(session.vendorSessionId).toBe('v');
  const begun = { type: 'session.started', vendorSessionId: 'after-clear', cwd: '/fresh' };
  const after = await killedAfter(world.store.activity, 'append', () => append(session.sessionId, 1, begun));
  expect(await after.store.activity.lastSeq('default', session.sessionId)).toBe(1);
  expect(await after.store.sessions.get('default', session.sessionId)).toMatchObject({ status: 'running', vendorSessionId: 'after-clear' });
});

it('a turn that stands still is told of, wherever the relay ended', async () => {
  const { sessionId } = await world.start('Worker');
  const still = { type: 'agent.error', code: 'no_progress', message: 'It stands still.', fatal: false };
  const after = await killedAfter(world.store.activity, 'append', () => append(sessionId, 1, still));
  expect(after.agent('Worker').stalled).toEqual({ cause: 'turn', since: world.clock.at, detail: 'It stands still.' });
  expect((await after.eventTypes()).at(-1)).toBe('agent.stalled');
  const on = await killedAfter(world.store.activity, 'append', () => append(sessionId, 2, { type: 'context.compacted' }));
  expect(on.agent('Worker').stalled).toBeUndefined();
  expect((await on.eventTypes()).at(-1)).toBe('agent.recovered');
});

it('a question that a rule allows is answered after a start, whoever asked it: an agent itself, or on a machine when that is back', async () => {
  const { sessionId, ...session } = await world.start('Worker');
  await world.relay.handlers['agents/register']({ name: 'Live', instanceId: 'i1' }, as(owner));
  const rule = { command: ['npm', 'test'], maxUses: 1 };
  await world.relay.handlers['rules/create']({ ...rule, agentId: 'Worker', folder: '/fresh' }, as(owner));
  await world.relay.handlers['rules/create']({ ...rule, agentId: 'Live', folder: '/srv' }, as(owner));
  const asked = { approvalId: 'q1', kind: 'execute' as const, title: 'npm test', input: { command: 'npm test' } };
  const after = await killedAfter(world.store.activity, 'append', () =>
    append(sessionId, 1, { ...asked, type: 'approval.requested', cwd: '/fresh', options: [{ id: 'y', label: 'Yes', outcome: 'allow' }] }),
  );
  const standing = async (agent: string, { relay } = after) =>
    (await relay.handlers['approvals/list']({ agent }, as(owner))).data.map(({ status }) => status);
  const back = new FarNode();
  expect(await standing('Worker')).toEqual(['pending']);
  await after.attach(back, [offered({ ...session, sessionId }, 1)]);
  await expect.poll(() => standing('Worker')).toEqual(['allowed']);
  expect(back.commands).toMatchObject([{ name: 'session/resolve-approval', params: { approvalId: 'q1', outcome: 'allow' } }]);
  const later = await killedAfter(world.store.approvals, 'ask', () =>
    world.relay.handlers['approvals/ask']({ ...asked, id: 'Live', cwd: '/srv' }, as(owner)),
  );
  await expect.poll(() => standing('Live', later)).toEqual(['allowed']);
});

it('a question that could not be held against the rules is in the next round', async () => {
  const { sessionId } = await world.start('Worker');
  await world.relay.handlers['rules/create']({ agentId: 'Worker', command: ['npm', 'test'], folder: '/fresh' }, as(owner));
  const reading = vi.spyOn(world.store.records, 'list').mockRejectedValue(new RelayError('store_unavailable', 'the disk'));
  const options = [{ id: 'y', label: 'Yes', outcome: 'allow' }];
  const asked = { approvalId: 'q1', kind: 'execute', title: 'npm test', cwd: '/fresh', input: { command: 'npm test' }, options };
  await append(sessionId, 1, { ...asked, type: 'approval.requested' });
  await expect.poll(() => reading.mock.calls.length).toBeGreaterThan(0);
  reading.mockRestore();
  const standing = async () => (await world.store.approvals.find('default', 'Worker', 'q1'))?.status;
  expect(await standing()).toBe('pending');
  await world.relay.reap();
  await expect.poll(standing).toBe('allowed');
});

it('who was removed is woken by no mail, and what ran of it is given up, wherever the relay ended', async () => {
  const session = await world.start('Worker', owner, { wake: 'fresh' });
  const after = await killedAfter(world.store.agents, 'remove', () => world.relay.handlers['agents/remove']({ id: 'Worker' }, as(owner)));
  expect(await after.store.sessions.get('default', session.sessionId)).toMatchObject({ status: 'running' });
  const back = new FarNode();
  const { sessions } = await after.attach(back, [offered(session)]);
  expect(sessions).toEqual([{ sessionId: session.sessionId, keep: false, ackedSeq: 0 }]);
  const context = { ...as(owner), link: back };
  const beat = { sessions: [{ sessionId: session.sessionId, status: 'idle' as const }] };
  expect(await after.relay.nodeHandlers['nodes/heartbeat'](beat, context)).toEqual({ release: [session.sessionId] });
  await after.relay.nodeHandlers['sessions/report']({ sessionId: session.sessionId, status: 'ended' }, context);
  await after.relay.handlers['messages/send']({ to: 'id:Worker', body: 'hello' }, as(owner));
  await after.relay.reap();
  expect(back.commands.filter(({ name }) => name === 'session/start')).toEqual([]);
  expect((await after.relay.handlers['sessions/list']({}, as(owner))).data.map(({ status }) => status)).toEqual(['ended']);
});
