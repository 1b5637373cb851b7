import type { RelayEvent } from 'agent-relay-protocol';
import { expect, test, vi } from 'vitest';
import type { EventBatch } from '../../src/events/event-stream.ts';
import { defaultSettings } from '../../src/relay/contract/relay-settings.ts';
import { ScanTurns } from '../../src/store/sqlite/scan-turns.ts';
import { agentOf, anonymous, anotherTurn, collect, observer, owner, until, World } from './world.ts';

function follow(batches: AsyncIterable<EventBatch>, pause: () => Promise<void> = async () => {}) {
  const seen: { readonly events: RelayEvent[]; reset: unknown; ended: boolean } = { events: [], reset: null, ended: false };
  void (async () => {
    for await (const batch of batches) {
      if ('reset' in batch) seen.reset = batch.reset;
      else seen.events.push(...batch.events);
      await pause();
    }
    seen.ended = true;
  })();
  return seen;
}
const seqs = (events: readonly RelayEvent[]) => events.map(({ seq }) => seq);

test('a reader from the beginning, one from now and one that joined between see the same log once each', async () => {
  await using world = await World.open();
  await world.register('a');
  const fromStart = follow((await world.relay.openEvents({ after: 0 }, world.as(anonymous))).batches);
  const now = await world.relay.openEvents({}, world.as(anonymous));
  const fromNow = follow(now.batches);
  for (let round = 0; round < 5; round += 1) {
    const sent = await Promise.all(Array.from({ length: 40 }, () => world.send('cron', 'a')));
    await world.ack('a', ...sent.map(({ id }) => id));
  }
  const joined = follow((await world.relay.openEvents({ after: 100 }, world.as(anonymous))).batches);
  await Promise.all(Array.from({ length: 40 }, () => world.send('cron', 'a')));
  const { head } = world;
  await until(() => [fromStart, fromNow, joined].every(({ events }) => events.at(-1)?.seq === head));
  const all = Array.from({ length: head }, (_, index) => index + 1);
  expect(seqs(fromStart.events)).toEqual(all);
  expect(seqs(fromNow.events)).toEqual(all.slice(now.cursor));
  expect(seqs(joined.events)).toEqual(all.slice(100));
});

test('a reader that stops reading costs bounded memory and goes on without a gap', async () => {
  await using world = await World.open();
  await world.register('a');
  let letGo: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const slow = follow((await world.relay.openEvents({ after: 0 }, world.as(anonymous))).batches, () => held);
  await until(() => slow.events.length > 0);
  for (let round = 0; round < 30; round += 1) await Promise.all(Array.from({ length: 100 }, () => world.send('cron', 'a')));
  letGo();
  await until(() => slow.events.at(-1)?.seq === world.head);
  expect(seqs(slow.events)).toEqual(Array.from({ length: world.head }, (_, index) => index + 1));
});

test('the log on disk reads as the log in memory did', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const { id } = await world.send('boss', 'tag:x', 'work', { claimable: true, ttlMs: 60_000 });
  const { claimId, fence } = await world.call['messages/claim']({ id, agentId: 'a' }, world.as(anonymous));
  await world.call['claims/progress']({ id: claimId, fence, progress: { done: 1 } }, world.as(anonymous));
  await world.call['claims/complete']({ id: claimId, fence }, world.as(anonymous));
  await world.ack('a', id);
  const live = await world.events();
  await world.restart();
  expect((await world.events()).slice(0, live.length)).toEqual(live);
});

test('filters: what concerns an agent, a channel, types; gaps in numbers, never in events', async () => {
  await using world = await World.open();
  for (const id of ['a', 'b', 'c']) await world.register(id, { tags: id === 'c' ? [] : ['x'] });
  const start = world.head;
  const live = follow((await world.relay.openEvents({ for: 'a' }, world.as(anonymous))).batches);
  const toA = await world.send('c', 'a');
  const toB = await world.send('c', 'b', 'x', { channel: 'deploy' });
  const fanned = await world.send('b', 'tag:x');
  const fromA = await world.send('a', 'c');
  await world.ack('b', toB.id);
  await world.ack('c', fromA.id);
  await world.call['agents/status']({ id: 'a', status: 'busy' }, world.as(anonymous));
  const mine = ['message.new', 'message.new', 'message.new', 'delivery.delivered', 'agent.status'];
  const replayed = await world.events(start, { for: 'a' });
  expect(replayed.map(({ type }) => type)).toEqual(mine);
  expect(replayed.slice(0, 3).map(({ seq }) => seq)).toEqual([toA.id, fanned.id, fromA.id]);
  await until(() => live.events.length === mine.length);
  expect(live.events).toEqual(replayed);
  expect((await world.events(start, { channel: 'deploy' })).map(({ type }) => type)).toEqual(['message.new', 'delivery.delivered']);
  expect((await world.events(start, { types: ['delivery', 'agent.status'] })).map(({ type }) => type)).toEqual([
    'delivery.delivered',
    'delivery.delivered',
    'agent.status',
  ]);
});

test('a cursor that cannot be continued gets a reset that says why', async () => {
  await using world = await World.open({ retentionMs: 1_000, offlinePruneMs: 100_000_000 });
  await world.register('a');
  const { id } = await world.send('cron', 'a');
  await world.ack('a', id);
  const { generation } = await world.relay.openEvents({}, world.as(anonymous));
  const reset = async (filter: { after?: number; generation?: string }) => {
    const seen = follow((await world.relay.openEvents(filter, world.as(anonymous))).batches);
    await until(() => seen.ended);
    return seen.reset;
  };
  expect(await reset({ after: 0, generation: 'another' })).toMatchObject({ reason: 'generation', head: world.head, generation });
  expect(await reset({ after: world.head + 1 })).toMatchObject({ reason: 'ahead' });
  world.clock.advance(10_000);
  await world.relay.reap();
  const { oldest } = await world.call['system/stats']({}, world.as(anonymous));
  expect(oldest).toBeGreaterThan(1);
  expect(await reset({ after: 0 })).toMatchObject({ reason: 'pruned', oldest });
  const kept = follow((await world.relay.openEvents({ after: oldest - 1 }, world.as(anonymous))).batches);
  await anotherTurn();
  expect(kept.reset).toBe(null);
});

test('a stream ends with its signal, and with the relay', async () => {
  await using world = await World.open();
  const leaving = new AbortController();
  const left = follow((await world.relay.openEvents({}, world.as(anonymous, leaving.signal))).batches);
  const stayed = follow((await world.relay.openEvents({}, world.as(anonymous))).batches);
  await anotherTurn();
  leaving.abort();
  await until(() => left.ended);
  expect(stayed.ended).toBe(false);
  await world.relay.close();
  await until(() => stayed.ended);
});

test('a reader that has to look through a long thread holds up nobody, and loses nothing', async () => {
  await using world = await World.open({
    guard: { ...defaultSettings.guard, pairPerMinute: 10_000, threadPerMinute: 10_000, hops: 10_000 },
  });
  for (const id of ['a', 'b']) await world.register(id, { withToken: true }, owner);
  await world.register('c');
  const root = await world.call['messages/send']({ to: 'b', body: 'root' }, world.as(agentOf('a')));
  const answer = async () => world.call['messages/send']({ to: 'a', replyTo: root.id, body: 'answer' }, world.as(agentOf('b')));
  for (let round = 0; round < 21; round += 1) await Promise.all(Array.from({ length: 100 }, answer));
  await world.restart();
  const mail = collect((await world.relay.openInbox({ id: 'c' }, world.as(anonymous))).batches);
  const all = follow((await world.relay.openEvents({}, world.as(observer))).batches);
  const outside = follow((await world.relay.openEvents({ types: ['message'] }, world.as(anonymous))).batches);
  await anotherTurn();
  let letGo: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  using turns = vi.spyOn(ScanTurns.prototype, 'next').mockImplementation(() => held);
  const listed = world.call['messages/list']({ from: 'nobody' }, world.as(observer));
  const heard = await answer();
  const sent = await world.send('c', 'c');
  await until(() => mail.ids.length === 1 && all.events.at(-1)?.seq === sent.id);
  expect([seqs(all.events), outside.events]).toEqual([[heard.id, sent.id], []]);
  letGo();
  await until(() => outside.events.length === 1);
  expect([seqs(outside.events), (await listed).data]).toEqual([[sent.id], []]);
  expect(new Set(turns.mock.calls.map(([caller]) => caller))).toEqual(new Set(['anonymous', 'token:observer']));
});
