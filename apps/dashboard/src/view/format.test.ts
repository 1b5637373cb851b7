import { RelayError } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { errorText, formatCost, formatCount, formatDistance, formatUsage, localMinute } from './format.ts';

test('a distance in time is told in its largest whole unit, before and after now', () => {
  const now = 10 * 86_400_000;
  const told = [-1_000, -42_000, -61_000, -7_300_000, -200_000_000, 30_000, 5_400_000].map((distance) =>
    formatDistance(now + distance, now),
  );
  expect(told).toEqual(['now', '42 s ago', '1 min ago', '2 h ago', '2 d ago', 'in 30 s', 'in 1 h']);
});

test('a minute as a field takes it is that minute here, wherever that is', () => {
  const at = new Date(2026, 6, 5, 9, 7, 42).getTime();
  expect(localMinute(at)).toBe('2026-07-05T09:07');
  expect(new Date(localMinute(at)).getTime()).toBe(at - 42_000);
});

test("a relay's error is told with its code", () => {
  expect(errorText(new RelayError('forbidden_scope', 'This token lacks the scope tasks:write'))).toBe(
    'This token lacks the scope tasks:write (forbidden_scope)',
  );
  expect(errorText(new Error('no'))).toBe('no');
});

test('a count stays short', () => {
  expect([0, 999, 1000].map(formatCount)).toEqual(['0', '999', '999+']);
});

test('what a turn took is told shortly, its cost where it is known', () => {
  expect(formatUsage({ inputTokens: 12_345, outputTokens: 678 })).toBe('12.3K in · 678 out');
  expect(formatUsage({ inputTokens: 5, outputTokens: 1_500_000, costUsd: 0.123 })).toBe('5 in · 1.5M out · $0.12');
});

test('a cost is told in cents until cents are of no matter', () => {
  expect([formatCost(0.456), formatCost(1_234.5), formatCost(12_345)]).toEqual(['$0.46', '$1,234.50', '$12.3K']);
});
