import { expect, test } from 'vitest';
import { nextAttemptAt } from './callback-schedule.ts';

test('the delay doubles from a second to an hour, and chance shortens it by up to half', () => {
  const delay = (attempts: number, chance: number) => (nextAttemptAt(attempts, 1e12, 0, chance) ?? 0) / 1000;
  expect([1, 2, 3, 12, 13, 100].map((attempts) => delay(attempts, 0))).toEqual([1, 2, 4, 2048, 3600, 3600]);
  expect([delay(3, 0.5), delay(3, 1)]).toEqual([3, 2]);
});

test('there is no attempt after the deadline', () => {
  expect(nextAttemptAt(1, 1_000, 0, 0)).toBe(1_000);
  expect(nextAttemptAt(1, 999, 0, 0)).toBe(null);
});
