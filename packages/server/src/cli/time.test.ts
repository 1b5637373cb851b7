import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readTime } from './time.ts';

beforeEach(() => void vi.useFakeTimers({ now: new Date(2026, 2, 10, 14, 30) }));
afterEach(() => void vi.useRealTimers());

test.each([
  ['30m', new Date(2026, 2, 10, 14, 0)],
  ['2h', new Date(2026, 2, 10, 12, 30)],
  ['7d', new Date(2026, 2, 3, 14, 30)],
  ['today', new Date(2026, 2, 10)],
  ['yesterday', new Date(2026, 2, 9)],
  ['2026-03-01', new Date(2026, 2, 1)],
  ['2026-03-01T12:30', new Date(2026, 2, 1, 12, 30)],
])('%s is %s', (text, moment) => {
  expect(readTime(text)).toBe(moment.getTime());
});

test.each(['', 'soon', '12', '2026', '2026-13-40', '-1h', '1e3d'])('%j is no time', (text) => {
  expect(() => readTime(text)).toThrow('must be today');
});
