import { afterEach, expect, test, vi } from 'vitest';
import { Refresher } from './refresher.ts';

afterEach(() => vi.useRealTimers());

test('the first wish is granted at once, and a burst of them once more when it is over', () => {
  vi.useFakeTimers();
  const asked: unknown[] = [];
  const { want } = new Refresher((key) => asked.push(key[0]), 400);
  want(['callbacks']);
  expect(asked).toEqual(['callbacks']);
  for (let count = 0; count < 100; count += 1) want(['callbacks']);
  want(['other']);
  expect(asked).toEqual(['callbacks', 'other']);
  vi.advanceTimersByTime(400);
  expect(asked).toEqual(['callbacks', 'other', 'callbacks']);
  vi.advanceTimersByTime(10_000);
  expect(asked).toHaveLength(3);
  want(['callbacks']);
  expect(asked).toHaveLength(4);
});
