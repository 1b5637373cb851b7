import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { EventBatch } from '../../src/events/event-stream.ts';
import { anonymous, until, World } from './world.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function usedMiB(): number {
  collect();
  return process.memoryUsage().heapUsed / (1 << 20);
}

const READERS = 50;
const BODY = 'x'.repeat(64 * 1024);

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
  expect(usedMiB() - before).toBeLessThan(READERS);
  letGo();
  await until(() => readers.every(({ seqs }) => seqs.at(-1) === world.head));
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
  expect(usedMiB() - before).toBeLessThan(READERS);
});
