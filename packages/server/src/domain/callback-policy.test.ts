import { fateOfPost } from 'agent-relay-wire';
import { expect, test } from 'vitest';
import { callbackPolicy } from './callback-policy.ts';

test('410 ends a callback at once, a lasting refusal of its content after five attempts, anything else with the day', () => {
  const fate = (status: number | null, attempts: number) =>
    fateOfPost(callbackPolicy, { status, attempts, deadlineAt: 1e9, now: 0, chance: 0 }).status;
  expect(fate(410, 1)).toBe('dead');
  expect([400, 413, 415, 422].map((status) => [fate(status, 4), fate(status, 5)])).toEqual(Array(4).fill(['pending', 'dead']));
  expect([null, 301, 401, 403, 404, 408, 429, 500, 503].map((status) => fate(status, 50))).toEqual(Array(9).fill('pending'));
});

test('a callback waits a second at first, an hour at most, and as long as it is asked to within its day', () => {
  const next = (attempts: number, retryAfter?: string) =>
    fateOfPost(callbackPolicy, { status: 503, retryAfter, attempts, deadlineAt: 1e9, now: 0, chance: 0 }).nextAttemptAt;
  expect([next(1), next(50), next(1, '999999999')]).toEqual([1_000, 3_600_000, 86_400_000]);
});
