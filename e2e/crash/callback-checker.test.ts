import type { RelayEvent, Task } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { findCallbackViolations } from './callback-checker.ts';
import type { Arrival, TaskHistories } from './history.ts';
import { task, taskTold } from './made-up.ts';

const open = task(1);
const held = task(1, { status: 'claimed', claimedBy: 'a', claimId: 'c1' });
const done = task(1, { status: 'done', claimedBy: 'a', claimId: 'c1', endedAt: 9 });
const log: readonly RelayEvent[] = [
  taskTold(2, 'task.created', open),
  taskTold(3, 'task.repeated', { ...open, occurrenceCount: 2 }),
  taskTold(4, 'task.claimed', held),
  taskTold(5, 'task.updated', { ...held, status: 'blocked' }),
  taskTold(6, 'task.updated', { ...held, status: 'blocked', progress: 5 }),
  taskTold(7, 'task.completed', done),
  taskTold(8, 'task.created', task(8, { source: 'ci' })),
];
const histories: TaskHistories = {
  reports: [
    { dedupeKey: 'disk', status: 'open', answer: { outcome: 'created', task: open, duplicate: false } },
    { dedupeKey: 'disk', status: 'resolved', answer: { outcome: 'resolved', task: done, duplicate: false } },
  ],
  steps: [
    { step: 'claimed', taskId: 1, agentId: 'a', fence: 1, claimId: 'c1' },
    { step: 'ended', taskId: 1, agentId: 'a', fence: 1, status: 'done' },
  ],
  left: [],
  offered: new Set(),
};
const arrival = (seq: number, event: string, type: string, told: Task, more: Partial<Arrival> = {}): Arrival => ({
  key: `key-${seq}`,
  body: JSON.stringify({ event, task: told, type, seq, at: 0 }),
  isSigned: true,
  ...more,
});
const first = arrival(2, 'task.created', 'task.created', open);
const second = arrival(4, 'task.claimed', 'task.claimed', held);
const third = arrival(5, 'task.status', 'task.updated', { ...held, status: 'blocked' });
const fourth = arrival(6, 'task.updated', 'task.updated', { ...held, status: 'blocked', progress: 5 });
const last = arrival(7, 'task.status', 'task.completed', done);
const kept = [first, first, second, first, third, fourth, last];

const find = (arrivals: readonly Arrival[]) => findCallbackViolations(arrivals, histories, log, 'ops');

test('callbacks that arrive in order, some again, have no violation', () => {
  expect(find(kept)).toEqual([]);
});

test.each<[string, readonly Arrival[], readonly string[]]>([
  ['a creation that is never told', kept.slice(2).filter((one) => one !== first), ['nobody was told that task 1 was created']],
  ['a claim that is never told', kept.filter((one) => one !== second), ['nobody was told that a claimed task 1']],
  [
    'an ending that is never told',
    kept.filter((one) => one !== last),
    ['nobody was told that task 1 was done', 'nobody was told that task 1 was resolved'],
  ],
  ['a step that is never told', kept.filter((one) => one !== fourth), [expect.stringMatching(/^event 6 of the log was never told/u)]],
  ['another order', [first, third, second, fourth, last], ['event 4 of task 1 came after event 5']],
  ['a callback of nothing', [...kept, arrival(3, 'task.status', 'task.repeated', open)], ['callback task.status of event 3 is invented']],
  [
    'a callback that says something else',
    [...kept, { ...last, body: first.body.replace('"seq":2', '"seq":7') }],
    ['callback task.created of event 7 is not what happened'],
  ],
  [
    'a progress told as a status',
    [first, second, third, { ...fourth, body: fourth.body.replace('task.updated', 'task.status') }, last],
    ['callback task.status of event 6 is not what happened'],
  ],
  ['a key with two bodies', [...kept, { ...last, key: first.key }], ['callback key-2 came with two bodies']],
  ['an event under two keys', [...kept, { ...last, key: 'other' }], ['event 7 came under the keys key-7 and other']],
  ['a wrong signature', [...kept, { ...last, isSigned: false }], ['callback key-7 is not signed as it must be']],
])('the checker sees %s', (_, arrivals, violations) => {
  expect(find(arrivals)).toEqual(expect.arrayContaining([...violations]));
});
