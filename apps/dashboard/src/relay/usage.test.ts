import type { UsageDay } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { daysUpTo, groupUsage, totalUsage, usageSeries } from './usage.ts';
import { readUsageFilter } from './usage-filter.ts';

const used = (day: string, agentId: string, model: string | null, costUsd: number): UsageDay => ({
  day,
  agentId,
  provider: 'codex',
  model,
  turns: 1,
  inputTokens: 10,
  outputTokens: 5,
  cachedInputTokens: 2,
  reasoningTokens: 1,
  costUsd,
});
const rows = [
  used('2026-01-01', 'A', 'm', 1),
  used('2026-01-03', 'A', null, 2),
  used('2026-01-03', 'B', 'm', 4),
  used('2026-01-03', 'C', 'm', 1),
];
const days = ['2026-01-01', '2026-01-02', '2026-01-03'];

test('days are those of UTC, up to today', () => {
  expect(daysUpTo(Date.UTC(2026, 2, 1, 23, 59), 3)).toEqual(['2026-02-27', '2026-02-28', '2026-03-01']);
});

test('usage is added up by agent, model and day', () => {
  const names = (by: 'agent' | 'model' | 'day') => groupUsage(rows, by, 'costUsd').map(({ name, costUsd }) => [name, costUsd]);
  expect(names('agent')).toEqual([
    ['B', 4],
    ['A', 3],
    ['C', 1],
  ]);
  expect(names('model')).toEqual([
    ['m', 6],
    ['codex', 2],
  ]);
  expect(names('day')).toEqual([
    ['2026-01-03', 7],
    ['2026-01-01', 1],
  ]);
  expect(totalUsage(rows)).toEqual({ turns: 4, inputTokens: 40, outputTokens: 20, cachedInputTokens: 8, reasoningTokens: 4, costUsd: 8 });
});

test('a chart has a value for each day, and those who have least together', () => {
  expect(usageSeries(rows, { by: 'agent', show: 'costUsd', days, most: 2 })).toEqual([
    { name: 'B', values: [0, 0, 4] },
    { name: null, values: [1, 0, 3] },
  ]);
  expect(usageSeries(rows, { by: 'agent', show: 'turns', days, most: 3 }).map(({ name }) => name)).toEqual(['A', 'B', 'C']);
  expect(usageSeries(rows, { by: 'day', show: 'turns', days, most: 3 })).toEqual([{ name: null, values: [1, 0, 3] }]);
  expect(usageSeries([], { by: 'agent', show: 'turns', days, most: 3 })).toEqual([]);
});

test('an address says what is shown, and what is no such thing is left out', () => {
  expect(readUsageFilter({ by: 'model', show: 'turns', days: 7, agent: 42 })).toEqual({ by: 'model', show: 'turns', days: 7, agent: '42' });
  expect(readUsageFilter({ by: 'agent', show: 'costUsd', days: 30, agent: ' ' })).toEqual({ show: 'costUsd' });
  expect(readUsageFilter({ by: 'moon', show: {}, days: { toString: 1 }, agent: [] })).toEqual({});
});
