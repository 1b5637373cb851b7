import { expect, test } from 'vitest';
import { nodeToken } from '../support/node-token.ts';
import { end, host } from './hosted.ts';
import { agentOf, anonymous, codeOf, owner, until, World } from './world.ts';

test('the same instance keeps its epoch, another begins the next and fences the older', async () => {
  await using world = await World.open();
  const first = await world.register('a', { instanceId: 'one' });
  const again = await world.register('a', { instanceId: 'one', label: 'x' });
  const next = await world.register('a', { instanceId: 'two' });
  expect([first.epoch, again.epoch, next.epoch]).toEqual([1, 1, 2]);
  expect([first.created, again.created]).toEqual([true, false]);
  expect(next.label).toBe('x');
  const beat = (guard: object) => codeOf(() => world.call['agents/heartbeat']({ id: 'a', ...guard }, world.as(anonymous)));
  expect(await beat({ instanceId: 'one', epoch: 1 })).toBe('stale_session');
  expect(await beat({ instanceId: 'one' })).toBe('stale_session');
  expect(await beat({ instanceId: 'two', epoch: 2 })).toBe('none');
  const status = (epoch: number) => codeOf(() => world.call['agents/status']({ id: 'a', epoch, status: 'busy' }, world.as(anonymous)));
  expect([await status(1), await status(2)]).toEqual(['stale_session', 'none']);
});

test('epochs only grow, also across removal and restart', async () => {
  await using world = await World.open();
  await world.register('a', { instanceId: 'one' });
  await world.register('a', { instanceId: 'two' });
  await world.call['agents/remove']({ id: 'a' }, world.as(anonymous));
  await world.restart();
  expect((await world.register('a', { instanceId: 'one' })).epoch).toBe(3);
});

test('a list’s cursor and the registration’s are where the log goes on', async () => {
  await using world = await World.open();
  const { cursor } = await world.register('a');
  expect(cursor).toBe(world.head);
  const { cursor: listed } = await world.call['agents/list']({}, world.as(anonymous));
  await world.register('b');
  expect((await world.events(listed)).map(({ type }) => type)).toEqual(['agent.registered']);
});

test('an event tells of a change, and nothing of what is said again', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const before = world.head;
  await world.register('a', { tags: ['x'] });
  await world.call['agents/heartbeat']({ id: 'a' }, world.as(anonymous));
  await world.call['agents/status']({ id: 'a', status: 'online' }, world.as(anonymous));
  expect(world.head).toBe(before);
  await world.call['agents/status']({ id: 'a', status: 'busy' }, world.as(anonymous));
  await world.call['agents/label']({ id: 'a', label: 'fixer' }, world.as(anonymous));
  await world.call['agents/ready']({ id: 'a', ready: false }, world.as(anonymous));
  await world.call['agents/approval']({ id: 'a', approval: 'guarded' }, world.as(owner));
  expect(await world.types(before)).toEqual(['agent.status', 'agent.updated', 'agent.updated', 'agent.updated']);
  expect(await world.call['agents/label']({ id: 'a', label: '' }, world.as(anonymous))).toMatchObject({ label: null });
});

test('a silent agent goes offline and its claims are released; a heartbeat brings it back', async () => {
  await using world = await World.open({ staleTtlMs: 10_000, reapIntervalMs: 5_000 });
  await world.register('a', { tags: ['x'] });
  await world.register('b', { tags: ['x'] });
  const { id } = await world.send('boss', 'tag:x', 'work', { claimable: true });
  await world.call['messages/claim']({ id, agentId: 'a' }, world.as(anonymous));
  for (let beat = 0; beat < 4; beat += 1) {
    world.clock.advance(4_000);
    await world.call['agents/heartbeat']({ id: 'b' }, world.as(anonymous));
  }
  await until(() => world.relay.core.store.agents.index.in('default').find('a')?.agent?.status === 'offline');
  expect((await world.call['agents/get']({ id: 'b' }, world.as(anonymous))).status).toBe('online');
  expect((await world.call['messages/claim']({ id, agentId: 'b' }, world.as(anonymous))).agentId).toBe('b');
  expect((await world.call['agents/heartbeat']({ id: 'a' }, world.as(anonymous))).status).toBe('online');
});

test('after a start nobody is judged for one stale period', async () => {
  await using world = await World.open({ staleTtlMs: 10_000, reapIntervalMs: 1_000 });
  await world.register('a');
  await world.relay.close();
  world.clock.advance(100_000);
  await world.restart();
  world.clock.advance(9_000);
  await world.relay.reap();
  expect((await world.call['agents/get']({ id: 'a' }, world.as(anonymous))).status).toBe('online');
  world.clock.advance(1_000);
  await world.relay.reap();
  expect((await world.call['agents/get']({ id: 'a' }, world.as(anonymous))).status).toBe('offline');
});

test('an agent offline for long is removed; the built-in addresses never are', async () => {
  await using world = await World.open({ staleTtlMs: 10_000, offlinePruneMs: 50_000 });
  await world.register('a');
  const lost = await world.send('owner', 'a').catch(() => null);
  expect(lost).toBe(null);
  const { id } = await world.send('boss', 'a');
  world.clock.advance(20_000);
  await world.relay.reap();
  world.clock.advance(50_000);
  await world.relay.reap();
  expect(await codeOf(() => world.call['agents/get']({ id: 'a' }, world.as(anonymous)))).toBe('not_found');
  expect(await world.receipt(id, 'a')).toBe('failed');
  const { data } = await world.call['agents/list']({}, world.as(anonymous));
  expect(data.map((agent) => [agent.id, agent.status])).toEqual([
    ['owner', 'online'],
    ['relay', 'online'],
  ]);
  expect(await codeOf(() => world.call['agents/remove']({ id: 'relay' }, world.as(owner)))).toBe('forbidden');
});

test('an agent’s token is bound to its epoch, and nobody else speaks for who holds one', async () => {
  await using world = await World.open();
  const { token = '', epoch } = await world.register('a', { instanceId: 'one', withToken: true }, owner);
  expect(await world.relay.authenticate(token)).toEqual({ type: 'agent', workspace: 'default', agentId: 'a', epoch });
  expect(await codeOf(world.register('a', { instanceId: 'thief' }))).toBe('forbidden');
  expect(await codeOf(world.register('b', { withToken: true }))).toBe('forbidden');
  expect(await codeOf(world.poll('a'))).toBe('forbidden');
  const next = await world.register('a', { instanceId: 'two', withToken: true }, agentOf('a'));
  expect(await world.relay.authenticate(token)).toBe(null);
  expect(await world.relay.authenticate(next.token ?? '')).toMatchObject({ epoch: 2 });
  await world.restart();
  expect(await world.relay.authenticate(next.token ?? '')).toMatchObject({ epoch: 2 });
  await world.call['agents/remove']({ id: 'a' }, world.as(owner));
  expect(await world.relay.authenticate(next.token ?? '')).toBe(null);
});

test('a hosted session has its token, its node, and ends without losing its mail', async () => {
  await using world = await World.open();
  const { session, token } = await host(world, 'w', { nodeId: 'n', sessionId: 's', spawnedBy: 'Lead' });
  expect(await world.call['agents/get']({ id: 'w' }, world.as(anonymous))).toMatchObject({
    epoch: 1,
    nodeId: 'n',
    sessionId: 's',
    protected: true,
  });
  expect(await world.relay.authenticate(token)).toMatchObject({ type: 'agent', agentId: 'w' });
  const { id } = await world.send('cron', 'w');
  await end(world, session);
  expect(await world.call['agents/get']({ id: 'w' }, world.as(anonymous))).toMatchObject({
    status: 'offline',
    protected: false,
    nodeId: null,
  });
  expect(await world.relay.authenticate(token)).toBe(null);
  expect(await world.poll('w')).toEqual([id]);
  await host(world, 'w', { nodeId: 'n', sessionId: 't' });
  await end(world, session);
  expect((await world.call['agents/get']({ id: 'w' }, world.as(anonymous))).status).toBe('online');
});

test('owner tokens, node tokens and login codes; only hashes are kept', async () => {
  await using world = await World.open();
  expect(await world.relay.authenticate('the owner')).toEqual({ type: 'owner', workspace: 'default' });
  expect(await world.relay.authenticate('somebody')).toBe(null);
  const node = await nodeToken(world.relay, 'laptop', 'my laptop');
  expect(await world.relay.authenticate(node)).toEqual({ type: 'node', workspace: 'default', nodeId: 'laptop' });
  const { code } = await world.call['login/create']({}, world.as(owner));
  expect(await world.relay.authenticate(code)).toBe(null);
  const session = await world.relay.exchangeLoginCode(code);
  expect(await world.relay.authenticate(session?.token ?? '', 'browser')).toEqual({ type: 'owner', workspace: 'default' });
  expect(await world.relay.authenticate(session?.token ?? '')).toBe(null);
  expect(await world.relay.exchangeLoginCode(code)).toBe(null);
  const late = await world.call['login/create']({}, world.as(owner));
  world.clock.advance(600_000);
  expect(await world.relay.exchangeLoginCode(late.code)).toBe(null);
  const kept = JSON.stringify(await world.relay.core.store.tokens.list('default'));
  for (const secret of [node, code, session?.token ?? 'x']) expect(kept.includes(secret)).toBe(false);
  world.clock.advance(31 * 86_400_000);
  expect(await world.relay.authenticate(session?.token ?? '', 'browser')).toBe(null);
});
