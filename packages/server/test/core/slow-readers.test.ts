import type { RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { EventBatch } from '../../src/events/event-stream.ts';
import { settledMiB, usedMiB } from '../support/used-memory.ts';
import { anonymous, anotherTurn, collect, until, World } from './world.ts';

const READERS = 50;
const BODY = 'x'.repeat(64 * 1024);
/** A text of its own, which is held once more by each who holds it. */
const another = (): string => Buffer.from(BODY).toString('latin1');

/** Reads one batch, stays in the middle of it until it is let go, then reads to the end. */
function stopped(batches: AsyncIterable<EventBatch>, letGo: Promise<void>) {
  const seen: { held: readonly RelayEvent[]; seqs: number[] } = { held: [], seqs: [] };
  void (async () => {
    for await (const batch of batches) {
      if ('reset' in batch) throw new Error('no reset was expected');
      seen.held = batch.events;
      await letGo;
      seen.held = [];
      seen.seqs.push(...batch.events.map(({ seq }) => seq));
    }
  })();
  return seen;
}

test('fifty readers that stopped, each elsewhere in a log of large messages, hold half a MiB each and miss nothing', async () => {
  await using world = await World.open();
  await world.register('a');
  const start = world.head;
  for (let sent = 0; sent < 600; sent += 20) await Promise.all(Array.from({ length: 20 }, () => world.send('cron', 'a', BODY)));
  let letGo: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const before = usedMiB();
  const afters = Array.from({ length: READERS }, (_, index) => start + index * 8);
  const readers = await Promise.all(
    afters.map(async (after) => stopped((await world.relay.openEvents({ after, types: ['message'] }, world.as(anonymous))).batches, held)),
  );
  await until(() => readers.every((reader) => reader.held.length > 0));
  // Held whole, the rest of the log would be 37 MiB for each of them.
  expect(await settledMiB(before + READERS)).toBeLessThan(before + READERS);
  letGo();
  await until(() => readers.every(({ seqs }) => seqs.at(-1) === world.head), READERS * 600);
  for (const [index, after] of afters.entries()) {
    expect(readers[index]?.seqs).toEqual(Array.from({ length: world.head - after }, (_, offset) => after + offset + 1));
  }
});

test('live readers that stopped one after another let go of what they leave lying', async () => {
  await using world = await World.open();
  await world.register('a');
  const never = new Promise<void>(() => {});
  const before = usedMiB();
  for (let round = 0; round < READERS; round += 1) {
    const reader = stopped((await world.relay.openEvents({ types: ['message'] }, world.as(anonymous))).batches, never);
    await until(async () => {
      await world.send('cron', 'a', BODY);
      return reader.held.length > 0;
    });
    await Promise.all(Array.from({ length: 20 }, () => world.send('cron', 'a', BODY)));
  }
  // The log's own recent end, the batch that each holds, and what lies for the last of them.
  expect(await settledMiB(before + READERS)).toBeLessThan(before + READERS);
});

test('live readers of different agents keep no more lying than the end of the log', async () => {
  await using world = await World.open();
  const names = Array.from({ length: READERS }, (_, index) => `agent-${index}`);
  for (const name of names) await world.register(name);
  const never = new Promise<void>(() => {});
  const before = usedMiB();
  for (const name of names) {
    const reader = stopped((await world.relay.openEvents({ for: name, types: ['message'] }, world.as(anonymous))).batches, never);
    await world.send('cron', name);
    await until(() => reader.held.length > 0);
    await Promise.all(Array.from({ length: 20 }, () => world.send('cron', name, another())));
  }
  // Each has a little more than a MiB lying when its last arrived.
  expect(await settledMiB(before + READERS / 2)).toBeLessThan(before + READERS / 2);
});

test('inboxes whose mail nobody acknowledges hold a MiB each', async () => {
  await using world = await World.open();
  const names = Array.from({ length: 12 }, (_, index) => `agent-${index}`);
  for (const name of names) await world.register(name);
  for (let sent = 0; sent < 200; sent += 20) await Promise.all(Array.from({ length: 20 }, () => world.send('cron', 'broadcast', BODY)));
  await world.restart();
  const before = usedMiB();
  const inboxes = await Promise.all(names.map((id) => world.relay.openInbox({ id, window: 1_000 }, world.as(anonymous))));
  const got = inboxes.map(({ batches }) => collect(batches));
  await until(() => got.every(({ ids }) => ids.length > 10));
  for (let turn = 0; turn < 20; turn += 1) await anotherTurn();
  const limit = before + 2 * names.length;
  expect(await settledMiB(limit)).toBeLessThan(limit);
  const first = got[0]?.ids.length ?? 0;
  for (const [index, id] of names.entries()) await world.ack(id, ...(got[index]?.ids ?? []));
  await until(() => got.every(({ ids }) => ids.length > first));
});
