import { expect, test } from 'vitest';
import { type CallbackAttempt, fateOf, nextAttemptAt } from './callback-schedule.ts';

test('the delay doubles from a second to an hour, and chance shortens it by up to half', () => {
  const delay = (attempts: number, chance: number) => (nextAttemptAt(attempts, 1e12, 0, chance) ?? 0) / 1000;
  expect([1, 2, 3, 12, 13, 100].map((attempts) => delay(attempts, 0))).toEqual([1, 2, 4, 2048, 3600, 3600]);
  expect([delay(3, 0.5), delay(3, 1)]).toEqual([3, 2]);
});

test('there is no attempt after the deadline', () => {
  expect(nextAttemptAt(1, 1_000, 0, 0)).toBe(1_000);
  expect(nextAttemptAt(1, 999, 0, 0)).toBe(null);
});

const fate = (status: number | null, more: Partial<CallbackAttempt> = {}) =>
  fateOf({ status, attempts: 1, deadlineAt: 1e9, now: 0, chance: 0, ...more });

test('what the other side asks to wait for is waited for, and never longer than to the deadline', () => {
  expect(fate(429, { retryAfter: '120' })).toEqual({ status: 'pending', nextAttemptAt: 120_000 });
  expect(fate(503, { retryAfter: new Date(90_000).toUTCString() })).toEqual({ status: 'pending', nextAttemptAt: 90_000 });
  expect(fate(503, { retryAfter: '999999999' })).toEqual({ status: 'pending', nextAttemptAt: 1e9 });
  expect(['0', '-5', 'soon', '', undefined].map((retryAfter) => fate(503, { retryAfter }).nextAttemptAt)).toEqual(Array(5).fill(1_000));
});

test('410 ends it at once, a lasting refusal of its content after five attempts, anything else with the day', () => {
  expect(fate(410)).toEqual({ status: 'dead', nextAttemptAt: null });
  expect([400, 413, 415, 422].map((status) => [fate(status, { attempts: 4 }).status, fate(status, { attempts: 5 }).status])).toEqual(
    Array(4).fill(['pending', 'dead']),
  );
  expect([null, 301, 401, 403, 404, 408, 429, 500, 503].map((status) => fate(status, { attempts: 50 }).status)).toEqual(
    Array(9).fill('pending'),
  );
  expect([200, 204].map((status) => fate(status).status)).toEqual(['delivered', 'delivered']);
});
