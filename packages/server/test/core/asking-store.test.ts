import { expect, test } from 'vitest';
import { someSubscriber } from '../../src/store/push-contract.ts';
import { owner, World } from './world.ts';

test('a decision that looks into the index, or calls the store, is refused: it is shown facts', async () => {
  await using world = await World.open();
  await world.register('a');
  const { store } = world.relay.core;
  const agents = store.agents.index.in(owner.workspace);
  const change = (look: () => unknown) => store.agents.change(owner.workspace, 'a', () => ({ answer: look(), change: null }));
  await expect(change(() => agents.find('a'))).rejects.toThrow('A decision looks into the index (find)');
  await expect(change(() => store.agents.index)).resolves.toBeDefined();
  await expect(change(() => store.messages.get(owner.workspace, 1))).rejects.toThrow('A decision calls get of the store');
  await world.send('a', 'id:a', 'hello', { ttlMs: 1 });
  const expire = () => store.messages.expire(world.clock.now() + 1, 1, () => ({ answer: agents.find('a'), change: null }));
  await expect(expire()).rejects.toThrow('A decision looks into the index (find)');
  const subscribe = () => store.pushes.subscribe(someSubscriber('one'), () => (agents.find('a') ? [] : []));
  await expect(subscribe()).rejects.toThrow('A decision looks into the index (find)');
  expect(agents.find('a')?.agentId).toBe('a');
});
