import { expect, test } from 'vitest';
import { MAX_PAGE_CHARACTERS } from '../../src/domain/page.ts';
import { host } from './hosted.ts';
import { agentOf, anonymous, anotherTurn, codeOf, collect, nodeOf, owner, until, World } from './world.ts';

test('reading alone never acknowledges: a poller gets its mail again until it says it has it', async () => {
  await using world = await World.open();
  await world.register('a');
  const { id } = await world.send('cron', 'a');
  expect(await world.poll('a')).toEqual([id]);
  expect(await world.poll('a')).toEqual([id]);
  expect(await world.ack('a', id, 999)).toEqual({ acknowledged: [id], unknown: [999] });
  expect(await world.poll('a')).toEqual([]);
  expect(await world.receipt(id, 'a')).toBe('delivered ack');
});

test('what a poll took is dispatched, and a peek takes nothing', async () => {
  await using world = await World.open();
  await world.register('a');
  const { id } = await world.send('cron', 'a');
  const peeked = await world.call['inbox/list']({ id: 'a', peek: true }, world.as(anonymous));
  expect(peeked.data).toMatchObject([{ message: { id }, state: 'queued' }]);
  world.clock.advance(1_000);
  expect(await world.receipt(id, 'a')).toBe('queued');
  await world.poll('a');
  world.clock.advance(1_000);
  await until(async () => (await world.receipt(id, 'a')) === 'dispatched');
  expect(await world.types(id)).toEqual(['delivery.dispatched']);
});

test('a confirmation that comes first saves the receipt of the hand-over', async () => {
  await using world = await World.open();
  await world.register('a');
  const { id } = await world.send('cron', 'a');
  await world.poll('a');
  await world.ack('a', id);
  world.clock.advance(1_000);
  await anotherTurn();
  expect(await world.types(id)).toEqual(['delivery.delivered']);
});

test('a waiting poll is woken by the first piece', async () => {
  await using world = await World.open();
  await world.register('a');
  const waiting = world.call['inbox/list']({ id: 'a', waitMs: 50_000 }, world.as(anonymous));
  await anotherTurn();
  const { id } = await world.send('cron', 'a');
  expect((await waiting).data.map(({ message }) => message.id)).toEqual([id]);
});

test('a look that waits is answered by the first piece, and takes nothing', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const look = (waitMs: number) => world.call['inbox/list']({ id: 'a', peek: true, waitMs }, world.as(anonymous));
  for (const to of ['a', 'tag:x']) {
    let isAnswered = false;
    const waiting = Promise.resolve(look(50_000)).finally(() => {
      isAnswered = true;
    });
    await anotherTurn();
    expect(isAnswered).toBe(false);
    const { id } = await world.send('cron', to);
    expect((await waiting).data).toMatchObject([{ message: { id }, state: 'queued' }]);
    await world.ack('a', id);
  }
  const timed = look(10_000);
  await anotherTurn();
  world.clock.advance(10_000);
  expect((await timed).data).toEqual([]);
});

test('a waiting poll ends with its time, and with its caller', async () => {
  await using world = await World.open();
  await world.register('a');
  const timed = world.call['inbox/list']({ id: 'a', waitMs: 10_000 }, world.as(anonymous));
  await anotherTurn();
  world.clock.advance(10_000);
  expect((await timed).data).toEqual([]);
  const leaving = new AbortController();
  const left = world.call['inbox/list']({ id: 'a', waitMs: 10_000 }, world.as(anonymous, leaving.signal));
  await anotherTurn();
  leaving.abort();
  expect((await left).data).toEqual([]);
});

test('of two polls of one agent the newer one gets the mail, and the older one is told', async () => {
  await using world = await World.open();
  await world.register('a');
  const first = codeOf(() => world.call['inbox/list']({ id: 'a', waitMs: 50_000 }, world.as(anonymous)));
  await anotherTurn();
  const second = world.call['inbox/list']({ id: 'a', waitMs: 50_000 }, world.as(anonymous));
  await anotherTurn();
  const { id } = await world.send('cron', 'a');
  expect(await first).toBe('inbox_taken');
  expect((await second).data.map(({ message }) => message.id)).toEqual([id]);
});

test('a stream pushes waiting and new mail in order, at most its window unacknowledged', async () => {
  await using world = await World.open();
  await world.register('a');
  const sent = await Promise.all(Array.from({ length: 5 }, () => world.send('cron', 'a')));
  const inbox = collect((await world.relay.openInbox({ id: 'a', window: 2 }, world.as(anonymous))).batches);
  await until(() => inbox.ids.length === 2);
  await anotherTurn();
  expect(inbox.ids).toEqual(sent.slice(0, 2).map(({ id }) => id));
  await world.ack('a', sent[0]?.id ?? 0);
  await until(() => inbox.ids.length === 3);
  await world.ack('a', ...inbox.ids);
  await until(() => inbox.ids.length === 5);
  expect(inbox.ids).toEqual(sent.map(({ id }) => id));
});

test('a long backlog is fetched as there is room, without a gap or a double', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  const sent = await Promise.all(Array.from({ length: 1_500 }, (_, index) => world.send('cron', index % 3 === 0 ? 'tag:x' : 'a')));
  const inbox = collect((await world.relay.openInbox({ id: 'a', window: 100 }, world.as(anonymous))).batches);
  let late: number | null = null;
  for (let acknowledged = 0; acknowledged < sent.length + 1; ) {
    await until(() => inbox.ids.length > acknowledged);
    const ids = inbox.ids.slice(acknowledged);
    acknowledged += ids.length;
    // Arrives while most of the backlog is still in the store: it must wait for its turn.
    late ??= (await world.send('cron', 'a')).id;
    await world.ack('a', ...ids);
  }
  expect(inbox.ids).toEqual([...sent.map(({ id }) => id), late]);
});

test('a second deliverer of the same epoch is refused, and may come once the first has gone', async () => {
  await using world = await World.open();
  await world.register('a');
  const leaving = new AbortController();
  const first = collect((await world.relay.openInbox({ id: 'a' }, world.as(anonymous, leaving.signal))).batches);
  expect(await codeOf(world.relay.openInbox({ id: 'a' }, world.as(anonymous)))).toBe('inbox_taken');
  expect(await codeOf(world.poll('a'))).toBe('inbox_taken');
  const { id } = await world.send('cron', 'a');
  await until(() => first.ids.length === 1);
  leaving.abort();
  const second = collect((await world.relay.openInbox({ id: 'a' }, world.as(anonymous))).batches);
  await until(() => second.ids.length === 1);
  expect(second.ids).toEqual([id]);
});

test('a newer epoch ends the older stream and is offered what was not confirmed', async () => {
  await using world = await World.open();
  await world.register('a', { instanceId: 'one' });
  const older = collect((await world.relay.openInbox({ id: 'a', epoch: 1 }, world.as(anonymous))).batches);
  const { id } = await world.send('cron', 'a');
  await until(() => older.ids.length === 1);
  await world.register('a', { instanceId: 'two' });
  await until(() => older.failure !== null);
  expect(older.failure).toMatchObject({ code: 'stale_session' });
  const newer = collect((await world.relay.openInbox({ id: 'a', epoch: 2 }, world.as(anonymous))).batches);
  await until(() => newer.ids.length === 1);
  expect(newer.ids).toEqual([id]);
});

test('an acknowledgement under an older epoch is refused and changes nothing', async () => {
  await using world = await World.open();
  await world.register('a', { instanceId: 'one' });
  const { id } = await world.send('cron', 'a');
  await world.register('a', { instanceId: 'two' });
  expect(await codeOf(() => world.call['inbox/ack']({ id: 'a', ids: [id], epoch: 1 }, world.as(anonymous)))).toBe('stale_session');
  expect(await codeOf(() => world.call['inbox/ack']({ id: 'a', ids: [id], instanceId: 'one' }, world.as(anonymous)))).toBe('stale_session');
  expect(await world.poll('a')).toEqual([id]);
});

async function hosted(world: World) {
  await host(world, 'a', { nodeId: 'laptop', sessionId: 's-1' });
  return openHosted(world);
}

const openHosted = async (world: World) => collect((await world.relay.openInbox({ id: 'a' }, world.as(nodeOf('laptop')))).batches);
const report = (world: World, ...ids: number[]) =>
  world.call['deliveries/report'](
    { id: 'a', reports: ids.map((messageId) => ({ messageId, state: 'dispatched' as const })) },
    world.as(nodeOf('laptop')),
  );

test('what a node was pushed is still queued until it says that it hands it over', async () => {
  await using world = await World.open();
  const inbox = await hosted(world);
  const { id } = await world.send('cron', 'a');
  await until(() => inbox.ids.length === 1);
  world.clock.advance(1_000);
  await anotherTurn();
  expect(await world.receipt(id, 'a')).toBe('queued');
  expect(await report(world, id)).toEqual({ applied: [id] });
  world.clock.advance(1_000);
  await until(async () => (await world.receipt(id, 'a')) === 'dispatched');
});

test('the agent may take what its node has not handed over, and then the node may not', async () => {
  await using world = await World.open();
  const inbox = await hosted(world);
  const first = await world.send('cron', 'a');
  const second = await world.send('cron', 'a');
  await until(() => inbox.ids.length === 2);
  expect(await report(world, first.id)).toEqual({ applied: [first.id] });
  expect(await world.poll('a', agentOf('a'))).toEqual([second.id]);
  expect(await report(world, second.id)).toEqual({ applied: [] });
});

test('a node that asks before its mail has been read from the store is answered from the store', async () => {
  await using world = await World.open();
  await hosted(world);
  const { id } = await world.send('cron', 'a');
  await world.restart();
  const inbox = await openHosted(world);
  const asked = report(world, id);
  expect(await asked).toEqual({ applied: [id] });
  await until(() => inbox.ids.length === 1);
});

test('a node is offered again what it has not gone on with beside an idle agent, handed over or not', async () => {
  await using world = await World.open();
  const inbox = await hosted(world);
  const first = await world.send('cron', 'a');
  const second = await world.send('cron', 'a');
  await until(() => inbox.ids.length === 2);
  await report(world, second.id);
  await world.relay.reap();
  await anotherTurn();
  expect(inbox.ids).toEqual([first.id, second.id]);
  await world.call['agents/status']({ id: 'a', status: 'busy' }, world.as(nodeOf('laptop')));
  world.clock.advance(31_000);
  await world.relay.reap();
  await anotherTurn();
  expect(inbox.ids).toEqual([first.id, second.id]);
  await world.call['agents/status']({ id: 'a', status: 'idle' }, world.as(nodeOf('laptop')));
  await world.relay.reap();
  await until(() => inbox.ids.length === 4);
  expect(inbox.ids.slice(2)).toEqual([first.id, second.id]);
  await world.relay.reap();
  await anotherTurn();
  expect(inbox.ids).toHaveLength(4);
});

test('mail that waits for a running turn is not called stalled, beside an idle agent it is', async () => {
  await using world = await World.open({ stalledAfterMs: 5_000 });
  await hosted(world);
  const { id } = await world.send('cron', 'a');
  const stalled = async () => (await world.events(id)).filter(({ type }) => type === 'agent.stalled').length;
  await world.call['agents/status']({ id: 'a', status: 'busy' }, world.as(nodeOf('laptop')));
  world.clock.advance(6_000);
  await world.relay.reap();
  expect(await stalled()).toBe(0);
  await world.call['agents/status']({ id: 'a', status: 'idle' }, world.as(nodeOf('laptop')));
  await world.relay.reap();
  expect(await stalled()).toBe(1);
});

test('what the agent polled and has not acknowledged is its own again when it goes on by a stream', async () => {
  await using world = await World.open();
  await world.register('a');
  const { id } = await world.send('cron', 'a');
  expect(await world.poll('a')).toEqual([id]);
  const inbox = collect((await world.relay.openInbox({ id: 'a' }, world.as(anonymous))).batches);
  await until(() => inbox.ids.length === 1);
});

test('a poll gets as much as it asks for', async () => {
  await using world = await World.open();
  await world.register('a');
  const sent = await Promise.all(Array.from({ length: 1_000 }, () => world.send('cron', 'a')));
  const { data } = await world.call['inbox/list']({ id: 'a', limit: 1_000 }, world.as(anonymous));
  expect(data.map(({ message }) => message.id)).toEqual(sent.map(({ id }) => id));
});

test('the owner, who is not the agent, may not take from a stream, but look', async () => {
  await using world = await World.open();
  await hosted(world);
  const { id } = await world.send('cron', 'a');
  expect(await codeOf(world.poll('a', owner))).toBe('inbox_taken');
  const { data } = await world.call['inbox/list']({ id: 'a', peek: true }, world.as(owner));
  expect(data.map(({ message }) => message.id)).toEqual([id]);
});

test('a restart offers again what was handed over and not confirmed', async () => {
  await using world = await World.open();
  await world.register('a');
  const { id } = await world.send('cron', 'a');
  await world.poll('a');
  await world.restart();
  const { data } = await world.call['inbox/list']({ id: 'a' }, world.as(anonymous));
  expect(data).toMatchObject([{ message: { id }, state: 'dispatched' }]);
});

test('each hand-over has a nonce of its own', async () => {
  await using world = await World.open();
  await world.register('a');
  await world.send('cron', 'a');
  const nonces = new Set<string>();
  for (let time = 0; time < 600; time += 1) {
    const { data } = await world.call['inbox/list']({ id: 'a' }, world.as(anonymous));
    for (const { nonce } of data) nonces.add(nonce);
  }
  expect(nonces.size).toBe(600);
});

test('an agent online that does not drain is told of once, until it does', async () => {
  await using world = await World.open({ staleTtlMs: 1_000_000, stalledAfterMs: 5_000 });
  await world.register('a');
  const { id } = await world.send('cron', 'a');
  world.clock.advance(6_000);
  await world.relay.reap();
  await world.relay.reap();
  expect((await world.events(id)).filter(({ type }) => type === 'agent.stalled')).toMatchObject([{ agentId: 'a', waiting: 1 }]);
  await world.ack('a', id);
  await world.relay.reap();
  await world.send('cron', 'a');
  world.clock.advance(6_000);
  await world.relay.reap();
  expect((await world.events(id)).filter(({ type }) => type === 'agent.stalled')).toHaveLength(2);
});

test('looking pages through all that waits, by count and by size, and taking needs no cursor', async () => {
  await using world = await World.open();
  await world.register('a');
  const sent: number[] = [];
  for (let index = 0; index < 30; index += 1) sent.push((await world.send('cron', 'a', 'x'.repeat(60_000))).id);
  const read = async (limit: number) => {
    const pages: number[][] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: { data: { message: { id: number } }[]; nextCursor?: number | undefined } = await world.call['inbox/list'](
        { id: 'a', peek: true, limit, after },
        world.as(anonymous),
      );
      pages.push(page.data.map(({ message }) => message.id));
      after = page.nextCursor;
    }
    return pages;
  };
  const [bySize, byCount] = [await read(1_000), await read(4)];
  expect([bySize.flat(), byCount.flat()]).toEqual([sent, sent]);
  expect(byCount.map(({ length }) => length)).toEqual([4, 4, 4, 4, 4, 4, 4, 2]);
  expect(bySize[0]?.length).toBe(Math.floor(MAX_PAGE_CHARACTERS / 60_000));
  for (const path of ['after', 'since'] as const) {
    const turned = async () => world.call['inbox/list']({ id: 'a', [path]: 3 }, world.as(anonymous));
    await expect(turned()).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path }] });
  }
});
