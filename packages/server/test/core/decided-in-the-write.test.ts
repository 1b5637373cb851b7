import { expect, test } from 'vitest';
import { anonymous, codeOf, World } from './world.ts';

// What was so when somebody asked is no more when it is decided: the other write came first.

test('mail is read by the session that there is, not by the one that asked', async () => {
  await using world = await World.open();
  await world.register('a', { instanceId: 'one' });
  const { id } = await world.send('cron', 'a');
  const replaced = world.register('a', { instanceId: 'two' });
  const read = Promise.resolve(world.call['messages/read']({ id, agentId: 'a', read: true, instanceId: 'one' }, world.as(anonymous)));
  expect(await codeOf(read)).toBe('stale_session');
  await replaced;
  expect(await world.receipt(id, 'a')).toBe('queued');
});
