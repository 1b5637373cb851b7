import { expect, test } from 'vitest';
import { QueuePlace } from '../src/relay/queue-place.ts';

const never = { signal: AbortSignal.abort() };

test('one message has the place of its conversation until it has left it, and whoever waits is woken', async () => {
  const place = new QueuePlace();
  const { freed } = place;
  place.take('one', 'thread');
  expect([place.isTaken('thread'), place.isTaken('another')]).toEqual([true, false]);
  place.left('another one');
  expect([place.isTaken('thread'), place.freed]).toEqual([true, freed]);
  const woken = place.freedSince(freed, {});
  place.left('one');
  await woken;
  // What came while nobody waited counts as well.
  await place.freedSince(freed, {});
  expect([place.isTaken('thread'), place.freed]).toEqual([false, freed + 1]);
  await place.freedSince(place.freed, never);
});

test('what still waits may be gone once nothing has run for so long, and not while turns run', () => {
  const place = new QueuePlace({ goneAfterMs: 1_000 });
  place.take('one', 'thread');
  const isBusy = [false, true, false, false, false, false, false];
  const at = [0, 900, 1_000, 1_999, 2_000, 2_001, 3_000];
  const overdue = at.map((now, index) => place.overdue(isBusy[index] ?? false, now)?.clientId);
  expect(overdue).toEqual([undefined, undefined, undefined, undefined, 'one', undefined, 'one']);
  expect(place.isTaken('thread')).toBe(true);
  place.left('one');
  expect(place.overdue(false, 9_000)).toBeUndefined();
});
