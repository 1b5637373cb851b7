import { RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { agentOf, anonymous, observer, owner, World } from './world.ts';

const write = (world: World, to: string, more: object = {}) => world.call['messages/send']({ to, body: 'hello', ...more }, world.as(owner));

/** How many there are, and which. */
const dead = async (world: World, principal = owner) => {
  const { count } = await world.call['messages/dead']({}, world.as(principal));
  const { data } = await world.call['messages/list']({ deadLetter: true }, world.as(principal));
  return [count, data.map(({ id }) => id)];
};

const codeOf = (asked: () => unknown): Promise<string> =>
  Promise.resolve()
    .then(asked)
    .then(
      () => 'none',
      (error: unknown) => (error instanceof RelayError ? error.code : 'other'),
    );

test('what a person wrote and nobody got is counted and listed until somebody has looked at it', async () => {
  await using world = await World.open();
  await world.register('boss');
  await world.register('a', { tags: ['x'] });
  const expired = await write(world, 'a', { ttlMs: 1_000 });
  const fanned = await write(world, 'tag:x', { ttlMs: 1_000 });
  await world.send('boss', 'a', 'of an agent', { ttlMs: 1_000 });
  const failed = await write(world, 'a');
  expect(await dead(world)).toEqual([0, []]);
  world.clock.advance(2_000);
  await world.relay.reap();
  expect(await dead(world)).toEqual([2, [expired.id, fanned.id]]);
  await world.call['agents/remove']({ id: 'a' }, world.as(owner));
  await world.restart();
  expect(await dead(world)).toEqual([3, [expired.id, fanned.id, failed.id]]);
  expect(await dead(world, observer)).toEqual([3, [expired.id, fanned.id, failed.id]]);
  const { data } = await world.call['messages/list']({ deadLetter: true, newest: true, limit: 1 }, world.as(owner));
  expect(data.map(({ id }) => id)).toEqual([failed.id]);

  expect(await world.call['messages/dismiss']({ id: fanned.id }, world.as(owner))).toEqual({ dismissed: true });
  expect(await world.call['messages/dismiss']({ id: fanned.id }, world.as(owner))).toEqual({ dismissed: false });
  expect(await dead(world)).toEqual([2, [expired.id, failed.id]]);
  expect((await world.events()).filter(({ type }) => type === 'message.dismissed')).toMatchObject([{ messageId: fanned.id, by: 'owner' }]);
});

test('what arrives after all waits for nobody, unless it did not elsewhere; nor does what is taken back', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  await world.register('b', { tags: ['x'] });
  const late = await write(world, 'a', { ttlMs: 1_000 });
  const removed = await write(world, 'a', { ttlMs: 1_000 });
  const failed = await write(world, 'tag:x');
  for (const id of ['a', 'b'])
    await world.call['deliveries/report']({ id, reports: [{ messageId: failed.id, state: 'failed', reason: 'no' }] }, world.as(anonymous));
  world.clock.advance(2_000);
  await world.relay.reap();
  expect(await dead(world)).toEqual([3, [late.id, removed.id, failed.id]]);
  await world.ack('a', late.id, failed.id);
  expect(await dead(world)).toEqual([2, [removed.id, failed.id]]);
  await world.ack('b', failed.id);
  await world.call['messages/remove']({ id: removed.id }, world.as(owner));
  expect(await dead(world)).toEqual([0, []]);
});

test('a reader counts what it may read, and its sender and the owner alone dismiss it', async () => {
  await using world = await World.open();
  for (const id of ['a', 'spy']) await world.register(id, { withToken: true }, owner);
  const { id } = await write(world, 'a', { ttlMs: 1_000 });
  world.clock.advance(2_000);
  await world.relay.reap();
  expect(await dead(world, agentOf('a'))).toEqual([1, [id]]);
  expect(await dead(world, agentOf('spy'))).toEqual([0, []]);
  expect(await codeOf(() => world.call['messages/dismiss']({ id }, world.as(agentOf('a'))))).toBe('forbidden');
  expect(await codeOf(() => world.call['messages/dismiss']({ id }, world.as(agentOf('spy'))))).toBe('not_found');
  expect(await dead(world)).toEqual([1, [id]]);
});

test('they go with the messages that retention takes', async () => {
  await using world = await World.open({ retentionMs: 10_000 });
  await world.register('a');
  await write(world, 'a', { ttlMs: 1_000 });
  world.clock.advance(2_000);
  await world.relay.reap();
  expect((await dead(world))[0]).toBe(1);
  world.clock.advance(60_000);
  await world.relay.reap();
  expect(await dead(world)).toEqual([0, []]);
});
