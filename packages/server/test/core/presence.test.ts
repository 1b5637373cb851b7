import type { Principal } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { agentOf, anonymous, codeOf, collect, nodeOf, owner, until, World } from './world.ts';

const TTL = 10_000;
const statusOf = (world: World, id: string) => world.relay.core.store.agents.index.in('default').find(id)?.agent?.status;
const seenAt = (world: World, id: string) => world.relay.core.store.agents.index.in('default').find(id)?.agent?.lastSeenAt ?? 0;

/** Three stale periods, in which the agent does something four times in each, and the reaper judges after each time. */
async function actThrough(world: World, act: () => Promise<unknown>): Promise<void> {
  for (let step = 0; step < 12; step += 1) {
    await act();
    world.clock.advance(TTL / 4);
    await world.relay.reap();
  }
}

const open = (more = {}) => World.open({ staleTtlMs: TTL, reapIntervalMs: 1_000_000_000, ...more });

describe('what an agent does says that it is there', () => {
  const acts: Record<string, (world: World, as: Principal) => Promise<unknown>> = {
    'a poll': (world, as) => world.call['inbox/list']({ id: 'a' }, world.as(as)) as Promise<unknown>,
    'an acknowledgement': (world, as) => world.call['inbox/ack']({ id: 'a', ids: [1] }, world.as(as)) as Promise<unknown>,
    'a message': (world, as) => world.call['messages/send']({ from: 'a', to: 'b', body: 'x' }, world.as(as)) as Promise<unknown>,
    'its status': (world, as) => world.call['agents/status']({ id: 'a', status: 'busy' }, world.as(as)) as Promise<unknown>,
  };
  test.each(Object.keys(acts))('%s, with its token and without', async (name) => {
    for (const as of [anonymous, agentOf('a')]) {
      await using world = await open();
      await world.register('a');
      await world.register('b');
      await actThrough(world, async () => acts[name]?.(world, as));
      expect([statusOf(world, 'a') === 'offline', statusOf(world, 'b')]).toEqual([false, 'offline']);
    }
  });

  test('renewing and reporting progress, by fence alone: the claim stays', async () => {
    await using world = await open();
    await world.register('a', { tags: ['x'] });
    const { id } = await world.send('boss', 'tag:x', 'do it', { claimable: true });
    const { claimId, fence } = await world.call['messages/claim']({ id, agentId: 'a' }, world.as(anonymous));
    await actThrough(world, async () => world.call['claims/renew']({ id: claimId, fence }, world.as(anonymous)));
    await actThrough(world, async () => world.call['claims/progress']({ id: claimId, fence, progress: 1 }, world.as(anonymous)));
    expect((await world.call['claims/complete']({ id: claimId, fence }, world.as(anonymous))).status).toBe('completed');
  });

  test('reading with its own token, and nothing that its node, the owner or a stranger does', async () => {
    await using world = await open();
    await world.register('a');
    await actThrough(world, async () => world.call['messages/list']({}, world.as(agentOf('a'))));
    expect(statusOf(world, 'a')).toBe('online');
    const read = (as: Principal) => world.call['inbox/list']({ id: 'a', peek: true }, world.as(as));
    await actThrough(world, async () => Promise.all([read(owner), read(anonymous), codeOf(async () => read(nodeOf('n')))]));
    expect(statusOf(world, 'a')).toBe('offline');
  });

  test('what begins between being judged and the write that would say so', async () => {
    await using world = await open();
    await world.register('a');
    world.clock.advance(TTL * 3);
    const leaving = new AbortController();
    const reaping = world.relay.reap();
    const polling = world.call['inbox/list']({ id: 'a', waitMs: TTL * 100 }, world.as(anonymous, leaving.signal));
    await reaping;
    expect(statusOf(world, 'a')).toBe('online');
    leaving.abort();
    await polling;
  });

  test('an act that was refused is none', async () => {
    await using world = await open();
    await world.register('a', { instanceId: 'one' });
    const act = () => codeOf(async () => world.call['inbox/ack']({ id: 'a', ids: [1], instanceId: 'other' }, world.as(anonymous)));
    expect(await act()).toBe('stale_session');
    await actThrough(world, act);
    expect(statusOf(world, 'a')).toBe('offline');
  });

  test('a poll that waits and a followed inbox, for as long as they last', async () => {
    await using world = await open();
    await world.register('a');
    await world.register('b');
    const waiting = world.call['inbox/list']({ id: 'a', waitMs: 3 * TTL }, world.as(anonymous));
    const ending = new AbortController();
    const stream = await world.relay.openInbox({ id: 'b' }, world.as(agentOf('b'), ending.signal));
    collect(stream.batches);
    await actThrough(world, async () => {});
    expect([(await waiting).data, statusOf(world, 'a'), statusOf(world, 'b')]).toEqual([[], 'online', 'online']);
    ending.abort();
    await actThrough(world, async () => {});
    expect([statusOf(world, 'a'), statusOf(world, 'b')]).toEqual(['offline', 'offline']);
  });
});

test('the card is written a few times in a stale period, and the last act counts to the millisecond', async () => {
  await using world = await open();
  await world.register('a');
  const before = seenAt(world, 'a');
  world.clock.advance(TTL / 4);
  await world.poll('a');
  expect(seenAt(world, 'a')).toBe(before);
  world.clock.advance(TTL);
  await world.relay.reap();
  expect(statusOf(world, 'a')).toBe('online');
  world.clock.advance(1);
  await world.relay.reap();
  expect(statusOf(world, 'a')).toBe('offline');
});

test('who was thought gone is back with its next act; who has just said goodbye is not', async () => {
  await using world = await open();
  await world.register('a');
  world.clock.advance(TTL + 1);
  await world.relay.reap();
  expect(statusOf(world, 'a')).toBe('offline');
  const before = world.head;
  await world.poll('a');
  await until(() => statusOf(world, 'a') === 'online');
  expect(await world.types(before)).toEqual(['agent.status']);
  await world.call['agents/status']({ id: 'a', status: 'offline' }, world.as(anonymous));
  await world.poll('a');
  await world.relay.reap();
  expect(statusOf(world, 'a')).toBe('offline');
});

test('who said goodbye is back with a claim, in the same commit, and loses it when it is silent again', async () => {
  await using world = await open();
  await world.register('a', { tags: ['x'] });
  const { id } = await world.send('boss', 'tag:x', 'do it', { claimable: true });
  await world.call['agents/status']({ id: 'a', status: 'offline' }, world.as(anonymous));
  const before = world.head;
  const { claimId } = await world.call['messages/claim']({ id, agentId: 'a' }, world.as(anonymous));
  expect([statusOf(world, 'a'), await world.types(before)]).toEqual(['online', ['agent.status', 'message.claimed']]);
  world.clock.advance(TTL + 1);
  await world.relay.reap();
  expect(statusOf(world, 'a')).toBe('offline');
  expect(await world.call['claims/get']({ id: claimId }, world.as(anonymous))).toMatchObject({ status: 'released' });
});

test('a claim that was lost says how', async () => {
  await using world = await open();
  await world.register('a', { tags: ['x'] });
  const { id } = await world.send('boss', 'tag:x', 'do it', { claimable: true });
  const { claimId, fence } = await world.call['messages/claim']({ id, agentId: 'a' }, world.as(anonymous));
  world.clock.advance(TTL + 1);
  await world.relay.reap();
  await expect(async () => world.call['claims/renew']({ id: claimId, fence }, world.as(anonymous))).rejects.toMatchObject({
    code: 'stale_fence',
    message: `Claim ${claimId} was given back: a has not been heard of`,
    details: { fence, status: 'released' },
  });
});
