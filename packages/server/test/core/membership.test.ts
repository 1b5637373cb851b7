import { expect, test } from 'vitest';
import { anonymous, World } from './world.ts';

test('late joiners see neither the past nor a gap', async () => {
  await using world = await World.open();
  await world.send('cron', 'tag:x', 'before');
  await world.register('a', { tags: ['x'] });
  const after = await world.send('cron', 'tag:x', 'after');
  expect(await world.poll('a')).toEqual([after.id]);
});

test('an agent that leaves a group keeps what was sent while it belonged, and gets nothing later', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const during = await world.send('cron', 'tag:x');
  await world.call['agents/tags']({ id: 'a', tags: [] }, world.as(anonymous));
  await world.send('cron', 'tag:x');
  await world.call['agents/tags']({ id: 'a', tags: ['x'] }, world.as(anonymous));
  const again = await world.send('cron', 'tag:x');
  expect(await world.poll('a')).toEqual([during.id, again.id]);
});

test('re-registering unchanged keeps the membership, and a restart knows it', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'], instanceId: 'one' });
  const first = await world.send('cron', 'tag:x');
  await world.register('a', { tags: ['x'], instanceId: 'two' });
  await world.restart();
  const second = await world.send('cron', 'tag:x');
  expect(await world.poll('a')).toEqual([first.id, second.id]);
});

test('a fan-out recipient without a row is queued, and the receipts name every member of the audience', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  await world.register('b', { tags: ['x'] });
  const { id } = await world.send('cron', 'tag:x');
  await world.register('c', { tags: ['x'] });
  expect(await world.receipt(id, 'a')).toBe('queued');
  await world.ack('b', id);
  const { data } = await world.call['messages/deliveries']({ id }, world.as(anonymous));
  expect(data.map(({ agentId, state }) => [agentId, state])).toEqual([
    ['a', 'queued'],
    ['b', 'delivered'],
  ]);
});

test('a poll looks only at what came since: the floor moves past everybody else’s fan-out', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  await world.register('b', { tags: ['y'] });
  for (let count = 0; count < 2_200; count += 100) await Promise.all(Array.from({ length: 100 }, () => world.send('cron', 'tag:y')));
  const mine = await world.send('cron', 'tag:x');
  expect(await world.poll('a')).toEqual([mine.id]);
  await world.ack('a', mine.id);
  world.clock.advance(600_000);
  await world.relay.reap();
  const { deliveries, log } = world.relay.core.store;
  const { through } = await deliveries.waiting('default', 'a', 0, 10);
  expect(through).toBe(log.head);
});
