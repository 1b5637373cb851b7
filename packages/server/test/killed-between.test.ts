import { afterEach, beforeEach, expect, it } from 'vitest';
import { as, FarNode, owner, SessionWorld } from './session-world.ts';

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
