import type { TaskEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { continueHistory, type HistoryLine, MAX_REPEAT_LINES_IN_A_ROW } from './task-history.ts';

const event = (seq: number, more: Partial<TaskEvent> = {}): TaskEvent => ({
  seq,
  taskId: 1,
  type: 'task.repeated',
  at: seq * 10,
  count: 1,
  lastAt: seq * 10,
  by: 'integration:ops',
  status: 'open',
  occurrenceCount: seq,
  detail: 'above 8%',
  ...more,
});

function historyOf(events: readonly TaskEvent[]): readonly TaskEvent[] {
  let newest: HistoryLine | null = null;
  const lines = new Map<number, TaskEvent>();
  for (const next of events) {
    newest = continueHistory(newest, next);
    lines.set(newest.line.seq, newest.line);
  }
  return [...lines.values()];
}

const short = (events: readonly TaskEvent[]) => events.map(({ type, seq, count }) => `${seq} ${type} ${count}`);

test('reports that say the same are one line: from when to when, how many, and the count at its end', () => {
  const created = event(1, { type: 'task.created', detail: null });
  expect(historyOf([created, event(2), event(3), event(4)])).toEqual([created, event(2, { count: 3, lastAt: 40, occurrenceCount: 4 })]);
});

test('another step, another reporter and other words begin a line', () => {
  const events = [
    event(1),
    event(2, { type: 'task.claimed' }),
    event(3),
    event(4, { by: 'owner' }),
    event(5, { by: 'owner', detail: 'above 9%' }),
  ];
  expect(short(historyOf(events))).toEqual([
    '1 task.repeated 1',
    '2 task.claimed 1',
    '3 task.repeated 1',
    '4 task.repeated 1',
    '5 task.repeated 1',
  ]);
});

test('reports that never say the same fill so many lines, and the last line keeps what was said last', () => {
  const events = Array.from({ length: 1_000 }, (_, index) => event(index + 1, { detail: `above ${index}%` }));
  const lines = historyOf(events);
  expect(lines).toHaveLength(MAX_REPEAT_LINES_IN_A_ROW);
  expect(lines.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
  expect(lines.at(-1)).toMatchObject({ detail: 'above 999%', at: MAX_REPEAT_LINES_IN_A_ROW * 10, lastAt: 10_000, occurrenceCount: 1_000 });
  expect(historyOf([...events, event(1_001, { type: 'task.claimed' }), event(1_002, { detail: 'new' })])).toHaveLength(52);
});
