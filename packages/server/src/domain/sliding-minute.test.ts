import { expect, test } from 'vitest';
import { countIn, type SlidingMinute, waitFor } from './sliding-minute.ts';

const MINUTE_MS = 60_000;

/** Asks at each of `times`; answers those that were allowed. */
function allowedOf(times: readonly number[], limit: number): { readonly allowed: readonly number[]; readonly longest: number } {
  const allowed: number[] = [];
  let minute: SlidingMinute = [];
  let longest = 0;
  for (const at of times) {
    if (waitFor(minute, limit, at) !== null) continue;
    minute = countIn(minute, at);
    allowed.push(at);
    longest = Math.max(longest, minute.length);
  }
  return { allowed, longest };
}

/** The most that falls into any 60 seconds. */
const mostInAMinute = (times: readonly number[]): number =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + MINUTE_MS).length));

const steady = (everyMs: number, forMs: number) => Array.from({ length: forMs / everyMs }, (_, index) => index * everyMs);

test.each([
  ['a flood', steady(7, 150_000), 120],
  ['a flood that comes at the end of one minute', [0, ...steady(20, 90_000).map((at) => at + 59_000)], 120],
  ['one over the limit', steady(499, 200_000), 120],
  ['a limit of one', steady(1_000, 200_000), 1],
])('of %s no 60 seconds hold more than the limit, and the limit is used', (_, times, limit) => {
  const { allowed, longest } = allowedOf(times, limit);
  expect(mostInAMinute(allowed)).toBe(limit);
  expect(longest).toBeLessThanOrEqual(61);
});

test('whoever keeps to the limit in 61 seconds never waits', () => {
  const times = steady(509, 200_000);
  expect(allowedOf(times, 120).allowed).toEqual(times);
});

test('waiting exactly as long as it says is enough, and a millisecond less is not', () => {
  let minute: SlidingMinute = [];
  for (const at of [0, 400, 2_000]) minute = countIn(minute, at);
  expect(waitFor(minute, 3, 2_000)).toBe(58_400);
  expect(waitFor(minute, 3, 60_399)).toBe(1);
  expect(waitFor(minute, 3, 60_400)).toBeNull();
});

test('a clock that is set back makes nobody wait for more than a minute', () => {
  const minute = countIn([], 10_000_000);
  expect(waitFor(minute, 1, 5_000)).toBe(MINUTE_MS);
  expect(waitFor(countIn(minute, 5_000), 3, 5_001)).toBeNull();
});
