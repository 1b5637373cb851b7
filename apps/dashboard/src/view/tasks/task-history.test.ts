import type { TaskEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { foldRepeats } from './task-history.tsx';

const event = (seq: number, type: TaskEvent['type'], by = 'integration:ops', count = 1): TaskEvent => ({
  seq,
  taskId: 1,
  type,
  at: seq,
  count,
  lastAt: seq,
  by,
  status: 'open',
  occurrenceCount: 1,
  detail: null,
});

test('reports that follow each other are one line with their number, those of others another', () => {
  const history = [
    event(1, 'task.created'),
    event(2, 'task.repeated'),
    event(3, 'task.repeated', 'integration:ops', 40),
    event(4, 'task.repeated', 'integration:ci'),
    event(5, 'task.claimed', 'Worker'),
    event(6, 'task.repeated'),
  ];
  expect(foldRepeats(history).map((step) => `${step.event.seq} ${step.repeats}`)).toEqual(['1 1', '3 41', '4 1', '5 1', '6 1']);
});
