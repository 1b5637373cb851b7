import { expect, test } from 'vitest';
import { agentOf, anonymous, anotherTurn, until, World } from './world.ts';

const notices = async (world: World, agent: string) => {
  const { data } = await world.call['messages/list']({ to: `id:${agent}`, from: 'relay' }, world.as(anonymous));
  return data;
};

test('a message that nobody fetched in time expires, and the sender is told once', async () => {
  await using world = await World.open();
  await world.register('boss');
  await world.register('a');
  const { id } = await world.send('boss', 'a', 'quick', { ttlMs: 1_000 });
  world.clock.advance(1_000);
  expect(await world.poll('a')).toEqual([]);
  await until(async () => (await notices(world, 'boss')).length > 0);
  await world.relay.reap();
  expect(await world.receipt(id, 'a')).toBe('expired');
  expect(await notices(world, 'boss')).toMatchObject([
    { kind: 'notice', payload: { type: 'delivery.expired', count: 1, messageId: id }, sender: { relation: 'system' } },
  ]);
  expect((await world.events(id)).filter(({ type }) => type === 'delivery.expired')).toMatchObject([
    { count: 1, agentId: 'a', from: 'boss' },
  ]);
});

test('expiry of a fan-out is told once, with the count of those it did not reach', async () => {
  await using world = await World.open();
  await world.register('boss');
  for (const id of ['a', 'b', 'c']) await world.register(id, { tags: ['x'] });
  const { id } = await world.send('boss', 'tag:x', 'quick', { ttlMs: 1_000 });
  await world.ack('b', id);
  world.clock.advance(2_000);
  await until(async () => (await notices(world, 'boss')).length > 0);
  expect(await notices(world, 'boss')).toMatchObject([{ payload: { count: 2 } }]);
  expect([await world.receipt(id, 'a'), await world.receipt(id, 'b')]).toEqual(['expired', 'delivered ack']);
  expect((await world.events(id)).filter(({ type }) => type === 'delivery.expired')).toHaveLength(1);
});

test('time to live stops at dispatch, also before the receipt of it is written', async () => {
  await using world = await World.open({ dispatchedDelayMs: 60_000 });
  await world.register('boss');
  await world.register('a');
  const { id } = await world.send('boss', 'a', 'quick', { ttlMs: 1_000 });
  expect(await world.poll('a')).toEqual([id]);
  world.clock.advance(5_000);
  await world.relay.reap();
  expect(await world.receipt(id, 'a')).toBe('dispatched');
  expect(await notices(world, 'boss')).toEqual([]);
  await world.ack('a', id);
  expect(await world.receipt(id, 'a')).toBe('delivered ack');
});

test('a late confirmation overrides an expiry, marked late', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const direct = await world.send('boss', 'a', 'quick', { ttlMs: 1_000 });
  const fanned = await world.send('boss', 'tag:x', 'quick', { ttlMs: 1_000 });
  world.clock.advance(2_000);
  await world.relay.reap();
  await world.ack('a', direct.id, fanned.id);
  expect([await world.receipt(direct.id, 'a'), await world.receipt(fanned.id, 'a')]).toEqual(['delivered ack late', 'delivered ack late']);
});

test('time that ran out while the relay was down counts', async () => {
  await using world = await World.open();
  await world.register('boss');
  await world.register('a');
  const { id } = await world.send('boss', 'a', 'quick', { ttlMs: 1_000 });
  await world.relay.close();
  world.clock.advance(5_000);
  await world.restart();
  await until(async () => (await notices(world, 'boss')).length > 0);
  expect(await world.receipt(id, 'a')).toBe('expired');
});

test('removing an agent fails its waiting mail and tells each sender once; notices are not told of', async () => {
  await using world = await World.open();
  for (const id of ['boss', 'chief', 'a']) await world.register(id, { tags: ['x'] });
  const mine = [await world.send('boss', 'a'), await world.send('boss', 'tag:x'), await world.send('chief', 'a')];
  const { failedMessages } = await world.call['agents/remove']({ id: 'a' }, world.as(anonymous));
  expect(failedMessages).toBe(3);
  expect(await Promise.all(mine.map(({ id }) => world.receipt(id, 'a')))).toEqual(['failed', 'failed', 'failed']);
  expect(await notices(world, 'boss')).toMatchObject([{ payload: { type: 'agent.removed', agentId: 'a', count: 2 } }]);
  expect(await notices(world, 'chief')).toMatchObject([{ payload: { count: 1 } }]);
  await world.call['agents/remove']({ id: 'boss' }, world.as(anonymous));
  expect(await notices(world, 'relay')).toEqual([]);
});

test('retention expires undelivered mail first, with one notice, then prunes; active work stays and its claim goes on', async () => {
  await using world = await World.open({ retentionMs: 1_000_000, staleTtlMs: 10_000_000, offlinePruneMs: 100_000_000 });
  await world.register('boss');
  await world.register('a', { instanceId: 'one', withToken: true }, { type: 'owner', workspace: 'default' });
  const lost = await world.send('boss', 'a', 'never fetched');
  const work = await world.send('boss', 'id:a', 'long work', { claimable: true });
  await world.call['inbox/ack']({ id: 'a', ids: [work.id] }, world.as(agentOf('a')));
  const claim = await world.call['messages/claim']({ id: work.id, leaseMs: 3_600_000 }, world.as(agentOf('a')));
  world.clock.advance(1_500_000);
  await world.relay.reap();
  await anotherTurn();
  expect(await notices(world, 'boss')).toMatchObject([{ payload: { type: 'delivery.expired', count: 1 } }]);
  await expect(world.call['messages/get']({ id: lost.id }, world.as(anonymous))).rejects.toMatchObject({ code: 'not_found' });
  expect((await world.call['messages/get']({ id: work.id }, world.as(anonymous))).body).toBe('long work');
  const complete = { id: claim.claimId, fence: claim.fence };
  expect((await world.call['claims/complete'](complete, world.as(agentOf('a')))).status).toBe('completed');
});

test('sequences are never used again, also after everything was pruned', async () => {
  await using world = await World.open({ retentionMs: 1_000, offlinePruneMs: 100_000_000 });
  await world.register('a');
  const { id } = await world.send('cron', 'a');
  await world.ack('a', id);
  const before = world.head;
  world.clock.advance(10_000);
  await world.relay.reap();
  await world.restart();
  expect(world.head).toBeGreaterThanOrEqual(before);
  expect((await world.send('cron', 'a')).id).toBeGreaterThan(before);
});
