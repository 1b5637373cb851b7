import { afterEach, expect, test, vi } from 'vitest';
import { Rest } from './rest.ts';

afterEach(() => vi.useRealTimers());

test('the first wish is granted at once, and a burst of them once more when it is over', () => {
  vi.useFakeTimers();
  let done = 0;
  const rest = new Rest(() => {
    done += 1;
  }, 400);
  rest.want();
  expect(done).toBe(1);
  for (let count = 0; count < 100; count += 1) rest.want();
  expect(done).toBe(1);
  vi.advanceTimersByTime(400);
  expect(done).toBe(2);
  vi.advanceTimersByTime(10_000);
  expect(done).toBe(2);
  rest.want();
  rest.want();
  rest.close();
  vi.advanceTimersByTime(10_000);
  expect(done).toBe(3);
});
