import { MAX_HOLD_MS, type Principal } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { agentOf, anonymous, codeOf, observer, owner, until, World } from './world.ts';

const offer = (world: World, to = 'tag:x', more: object = {}) => world.send('boss', to, 'do it', { claimable: true, ...more });
const claim = (world: World, id: number, agentId: string, more: object = {}) =>
  world.call['messages/claim']({ id, agentId, ...more }, world.as(anonymous));
const workFor = async (world: World, agent: string, more: object = {}) =>
  (await world.call['work/list']({ for: agent, ...more }, world.as(anonymous))).data.map(({ message }) => message.id);

test('one winner among any number of racers; the others learn who has it', async () => {
  await using world = await World.open();
  const racers = Array.from({ length: 200 }, (_, index) => `racer-${index}`);
  await Promise.all(racers.map((id) => world.register(id, { tags: ['x'] })));
  const { id } = await offer(world);
  const outcomes = await Promise.all(racers.map((racer) => codeOf(() => claim(world, id, racer))));
  expect(outcomes.filter((code) => code === 'none')).toHaveLength(1);
  expect(outcomes.filter((code) => code === 'already_claimed')).toHaveLength(199);
});

test('re-claiming one’s own returns it unchanged', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const { id } = await offer(world);
  const first = await claim(world, id, 'a');
  const before = world.head;
  world.clock.advance(1_000);
  expect(await claim(world, id, 'a')).toEqual(first);
  expect(world.head).toBe(before);
});

test('only what is claimable is claimed, by whom it is offered to, while it is not finished', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  await world.register('b');
  const chat = await world.send('boss', 'a');
  expect(await codeOf(() => claim(world, chat.id, 'a'))).toBe('not_claimable');
  const { id } = await offer(world);
  expect(await codeOf(() => claim(world, id, 'b'))).toBe('forbidden_target');
  expect(await codeOf(() => claim(world, id, 'nobody'))).toBe('not_found');
  expect(await codeOf(() => claim(world, 9_999, 'a'))).toBe('not_found');
  const { claimId, fence } = await claim(world, id, 'a');
  await world.call['claims/complete']({ id: claimId, fence }, world.as(anonymous));
  expect(await codeOf(() => claim(world, id, 'a'))).toBe('claim_closed');
});

test('work is a query over current membership: who arrives later sees what is still open', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'], channels: [] });
  const { id } = await offer(world);
  await world.register('late', { channels: [] });
  expect(await workFor(world, 'late')).toEqual([]);
  await world.call['agents/tags']({ id: 'late', tags: ['x'] }, world.as(anonymous));
  expect(await workFor(world, 'late')).toEqual([id]);
  await claim(world, id, 'a');
  expect(await workFor(world, 'late')).toEqual([]);
  expect(await workFor(world, 'late', { held: true })).toEqual([id]);
  await world.call['agents/tags']({ id: 'late', tags: [] }, world.as(anonymous));
  expect(await workFor(world, 'late', { held: true })).toEqual([]);
});

test('opening, release and expiry each offer the work again in the log', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const { id } = await offer(world);
  const first = await claim(world, id, 'a', { leaseMs: 5_000 });
  await world.call['claims/release']({ id: first.claimId, fence: first.fence, reason: 'not mine' }, world.as(anonymous));
  await claim(world, id, 'a', { leaseMs: 5_000 });
  world.clock.advance(5_000);
  await until(async () => (await world.types(id)).includes('claim.expired'));
  const offers = (await world.events(id)).flatMap((event) => (event.type === 'work.available' ? [event.cause] : []));
  expect(offers).toEqual(['opened', 'released', 'expired']);
});

test('a reader of claims hears of their beginning too', async () => {
  await using world = await World.open();
  await world.register('boss');
  await world.register('a', { tags: ['x'] });
  const { id } = await offer(world);
  const { claimId, fence } = await claim(world, id, 'a');
  await world.call['claims/complete']({ id: claimId, fence }, world.as(anonymous));
  expect((await world.events(id, { types: ['claim'] })).map(({ type }) => type)).toEqual(['message.claimed', 'claim.completed']);
});

test('every claim of the same work has a higher fence, and a stale one is refused', async () => {
  await using world = await World.open();
  for (const id of ['a', 'b']) await world.register(id, { tags: ['x'] });
  const { id } = await offer(world);
  const first = await claim(world, id, 'a', { leaseMs: 5_000 });
  world.clock.advance(6_000);
  const second = await claim(world, id, 'b');
  expect(second.fence).toBeGreaterThan(first.fence);
  const stale = { id: first.claimId, fence: first.fence };
  for (const name of ['claims/complete', 'claims/renew', 'claims/release'] as const) {
    expect(await codeOf(() => world.call[name](stale, world.as(anonymous)))).toBe('stale_fence');
  }
  expect(await codeOf(() => world.call['claims/progress']({ ...stale, progress: 1 }, world.as(anonymous)))).toBe('stale_fence');
  expect(await codeOf(() => world.call['claims/complete']({ ...stale, fence: second.fence }, world.as(anonymous)))).toBe('stale_fence');
  expect((await world.call['claims/complete']({ id: second.claimId, fence: second.fence }, world.as(anonymous))).status).toBe('completed');
});

test('a lease that has run out is over, whether or not anybody has noticed', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const { id } = await offer(world);
  const { claimId, fence } = await claim(world, id, 'a', { leaseMs: 5_000 });
  await world.relay.close();
  world.clock.advance(6_000);
  await world.restart();
  expect(await codeOf(() => world.call['claims/complete']({ id: claimId, fence }, world.as(anonymous)))).toBe('stale_fence');
});

test('expiry tells the old holder to stop', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const { id } = await offer(world, 'tag:x');
  await world.ack('a', id);
  const { claimId } = await claim(world, id, 'a', { leaseMs: 5_000 });
  world.clock.advance(5_000);
  await until(async () => (await world.call['claims/get']({ id: claimId }, world.as(anonymous))).status === 'expired');
  const { data } = await world.call['inbox/list']({ id: 'a' }, world.as(anonymous));
  expect(data).toMatchObject([{ message: { from: 'relay', kind: 'notice', payload: { type: 'claim.expired', claimId, messageId: id } } }]);
});

test('completion is idempotent per fence, and exactly one is ever accepted', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const { id } = await offer(world);
  const { claimId, fence } = await claim(world, id, 'a');
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, index) =>
      world.call['claims/complete']({ id: claimId, fence, result: index }, world.as(anonymous)),
    ),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect((await world.types(id)).filter((type) => type === 'claim.completed')).toHaveLength(1);
  expect(await codeOf(() => world.call['claims/progress']({ id: claimId, fence, progress: 1 }, world.as(anonymous)))).toBe('claim_closed');
});

test('callers that send no fence act under the current claim of their agent and epoch', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'], instanceId: 'one' });
  await world.register('b', { tags: ['x'] });
  const { id } = await offer(world);
  const { claimId } = await claim(world, id, 'a');
  const progress = (more: object) =>
    codeOf(() => world.call['claims/progress']({ id: claimId, progress: 'half', ...more }, world.as(anonymous)));
  expect(await progress({})).toBe('validation_failed');
  expect(await progress({ agentId: 'b' })).toBe('forbidden');
  expect(await progress({ agentId: 'a', epoch: 9 })).toBe('stale_session');
  expect(await progress({ agentId: 'a' })).toBe('none');
  expect((await world.call['claims/get']({ id: claimId }, world.as(anonymous))).progress).toBe('half');
});

test('the heartbeat renews the session’s claims, up to the longest hold', async () => {
  await using world = await World.open({ staleTtlMs: 60_000, reapIntervalMs: 10_000_000_000 });
  await world.register('a', { tags: ['x'] });
  const { id } = await offer(world);
  const { claimId, claimedAt } = await claim(world, id, 'a', { leaseMs: 60_000 });
  const beat = () => world.call['agents/heartbeat']({ id: 'a' }, world.as(anonymous));
  world.clock.advance(30_000);
  await beat();
  expect(await world.call['claims/get']({ id: claimId }, world.as(anonymous))).toMatchObject({ leaseExpiresAt: claimedAt + 90_000 });
  for (let passed = 30_000; passed < MAX_HOLD_MS - 50_000; passed += 50_000) {
    world.clock.advance(50_000);
    await beat();
  }
  expect(await world.call['claims/get']({ id: claimId }, world.as(anonymous))).toMatchObject({ leaseExpiresAt: claimedAt + MAX_HOLD_MS });
  world.clock.advance(50_000);
  await until(async () => (await world.call['claims/get']({ id: claimId }, world.as(anonymous))).status === 'expired');
});

test('renewing extends the lease and never shortens it', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const { id } = await offer(world);
  const { claimId, fence, claimedAt } = await claim(world, id, 'a', { leaseMs: 60_000 });
  const renew = (leaseMs: number) => world.call['claims/renew']({ id: claimId, fence, leaseMs }, world.as(anonymous));
  expect(await renew(1_000)).toMatchObject({ leaseExpiresAt: claimedAt + 60_000 });
  expect(await renew(90_000)).toMatchObject({ leaseExpiresAt: claimedAt + 90_000 });
});

test('a newer session of the holder, its going offline and its removal give the work back', async () => {
  await using world = await World.open();
  for (const id of ['a', 'b', 'c']) await world.register(id, { tags: ['x'], instanceId: 'one' });
  const { id } = await offer(world);
  await claim(world, id, 'a');
  await world.register('a', { instanceId: 'two' });
  expect((await claim(world, id, 'b')).agentId).toBe('b');
  await world.call['agents/status']({ id: 'b', status: 'offline' }, world.as(anonymous));
  expect((await claim(world, id, 'c')).agentId).toBe('c');
  await world.call['agents/remove']({ id: 'c' }, world.as(anonymous));
  expect((await claim(world, id, 'a')).epoch).toBe(2);
});

test('a protected agent’s claims are its own', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'], instanceId: 'one', withToken: true }, owner);
  const { id } = await offer(world);
  expect(await codeOf(() => claim(world, id, 'a'))).toBe('forbidden');
  const { claimId, fence } = await world.call['messages/claim']({ id }, world.as(agentOf('a')));
  expect(await codeOf(() => world.call['claims/complete']({ id: claimId, fence }, world.as(anonymous)))).toBe('forbidden');
  expect((await world.call['claims/complete']({ id: claimId, fence }, world.as(agentOf('a')))).status).toBe('completed');
});

test('claims and fences survive a restart', async () => {
  await using world = await World.open();
  for (const id of ['a', 'b']) await world.register(id, { tags: ['x'] });
  const { id } = await offer(world);
  const held = await claim(world, id, 'a');
  await world.restart();
  expect(await codeOf(() => claim(world, id, 'b'))).toBe('already_claimed');
  expect(await world.call['claims/get']({ id: held.claimId }, world.as(anonymous))).toEqual(held);
});

test('a token for tasks is enough for the claims on tasks, and for those alone', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const forTasks: Principal = {
    ...observer,
    type: 'token',
    kind: 'scoped',
    tokenId: 'ci',
    name: 'ci',
    scopes: ['tasks:read', 'tasks:write'],
  } as Principal;
  const { task } = await world.call['integrations/report']({ source: 'ci', title: 'broken', target: 'tag:x' }, world.as(owner));
  const onTask = await claim(world, task?.id ?? 0, 'a');
  const onMessage = await claim(world, (await offer(world)).id, 'a');
  const acts = async ({ claimId, fence }: typeof onTask) => [
    await codeOf(() => world.call['claims/get']({ id: claimId }, world.as(forTasks))),
    await codeOf(() => world.call['claims/renew']({ id: claimId, fence }, world.as(forTasks))),
    await codeOf(() => world.call['claims/progress']({ id: claimId, fence, progress: 'half' }, world.as(forTasks))),
    await codeOf(() => world.call['claims/complete']({ id: claimId, fence, result: 'done' }, world.as(forTasks))),
  ];
  expect(await acts(onTask)).toEqual(['none', 'none', 'none', 'none']);
  expect(await acts(onMessage)).toEqual(Array(4).fill('forbidden_scope'));
  const reads: Principal = { ...forTasks, scopes: ['tasks:read'] } as Principal;
  expect(await codeOf(() => world.call['claims/renew']({ id: onTask.claimId, fence: onTask.fence }, world.as(reads)))).toBe(
    'forbidden_scope',
  );
});

test('a claim that somebody may not read is not there for them, whatever they ask of it', async () => {
  await using world = await World.open();
  await world.register('spy');
  for (const id of ['boss', 'holder']) await world.register(id, { withToken: true }, owner);
  const { call } = world;
  const { id: offered } = await call['messages/send']({ to: 'holder', body: 'secret', claimable: true }, world.as(agentOf('boss')));
  const { claimId: id, fence } = await call['messages/claim']({ id: offered }, world.as(agentOf('holder')));
  for (const named of [{ agentId: 'spy' }, { fence }, { fence: fence + 1 }, { agentId: 'holder' }]) {
    const asked = { id, ...named };
    const program = world.as(anonymous);
    expect(await codeOf(() => call['claims/release'](asked, program))).toBe('not_found');
    expect(await codeOf(() => call['claims/complete'](asked, program))).toBe('not_found');
    expect(await codeOf(() => call['claims/renew'](asked, program))).toBe('not_found');
    expect(await codeOf(() => call['claims/progress']({ ...asked, progress: 'mine' }, program))).toBe('not_found');
  }
  expect(await call['claims/release']({ id }, world.as(agentOf('boss')))).toMatchObject({ status: 'released' });
});
