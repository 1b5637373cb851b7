import type { RelayEvent, ReportedEvent, Task } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { Report, TaskHistories } from './history.ts';
import { claimed, offered, task, taskTold } from './made-up.ts';
import { findTaskViolations } from './task-checker.ts';

const reported = (outcome: ReportedEvent['outcome'], told: Task): Report => ({
  dedupeKey: told.dedupeKey,
  status: 'open',
  answer: { outcome, task: told, duplicate: false },
});
/** Its first answer was lost. */
const answeredAgain = (told: Task): Report => ({
  dedupeKey: told.dedupeKey,
  status: 'open',
  answer: { outcome: 'repeated', task: told, duplicate: true },
});
const unanswered: Report = { dedupeKey: 'disk', status: 'open', answer: null };

const created = task(1);
const twice = task(1, { occurrenceCount: 2 });
const held = task(1, { occurrenceCount: 2, status: 'claimed', claimedBy: 'a', claimId: 'c1' });
const done = task(1, { occurrenceCount: 2, status: 'done', claimedBy: 'a', claimId: 'c1', endedAt: 9 });
const next = task(8);

const log: readonly RelayEvent[] = [
  offered(1),
  taskTold(2, 'task.created', created),
  taskTold(3, 'task.repeated', twice),
  claimed(4, 1, 1, 'c1'),
  taskTold(5, 'task.claimed', held),
  taskTold(7, 'task.completed', done),
  offered(8),
  taskTold(9, 'task.created', next),
];
const kept: TaskHistories = {
  reports: [reported('created', created), reported('repeated', twice), unanswered],
  steps: [
    { step: 'claimed', taskId: 1, agentId: 'a', fence: 1, claimId: 'c1' },
    { step: 'ended', taskId: 1, agentId: 'a', fence: 1, status: 'done' },
    { step: 'ended', taskId: 1, agentId: 'a', fence: 1, status: 'done' },
  ],
  left: [next, done],
  offered: new Set([8]),
};

/** The log without the event of one number, or with others in its place. */
const instead = (seq: number, ...events: RelayEvent[]) => log.flatMap((event) => (event.seq === seq ? events : [event]));

test('histories that keep every promise have no violation', () => {
  expect(findTaskViolations(kept, log)).toEqual([]);
  const reports = [answeredAgain(twice), reported('repeated', twice), reported('created', next)];
  expect(findTaskViolations({ ...kept, reports }, log)).toEqual([]);
});

test.each<[string, Partial<TaskHistories>, readonly RelayEvent[], string]>([
  ['a lost task', { left: [next] }, log.filter(({ seq }) => seq > 7), 'acknowledged task 1 is lost'],
  ['a task without a message', {}, instead(8), 'task 8 has the messages []'],
  ['a task with two messages', {}, [...log, offered(10, 8)], 'task 8 has the messages [8,10]'],
  ['a message without its task', {}, [...log, offered(10)], 'there is a message for task 10, which is not there'],
  ['an active task that nobody can claim', { offered: new Set() }, log, 'task 8 is active and nobody can claim it'],
  [
    'two active tasks under a key',
    {},
    instead(7, taskTold(7, 'task.updated', { ...held, status: 'in_progress' })),
    'tasks 1 and 8 are active under ops disk at once',
  ],
  [
    'a report that was not counted',
    { reports: [...kept.reports, reported('repeated', { ...twice, occurrenceCount: 3 })] },
    log,
    'task 1 counts 2 reports where 3 were acknowledged',
  ],
  [
    'reports that were counted as one',
    { reports: [...kept.reports, reported('repeated', twice)] },
    log,
    'two reports of task 1 were both counted as number 2',
  ],
  [
    'a report that was answered under its idempotency key and not counted',
    { reports: [...kept.reports, answeredAgain(twice)] },
    log,
    'task 1 counts 2 reports where 3 were acknowledged',
  ],
  [
    'a report that was counted twice',
    { reports: [reported('created', created), reported('repeated', twice)] },
    log,
    'task 8 counts 1 reports, more than were made under disk',
  ],
  [
    'a fence that does not grow',
    {},
    instead(7, claimed(6, 1, 1, 'c2'), taskTold(7, 'task.completed', done)),
    'task 1 was claimed under fence 1 after fence 1',
  ],
  ['a claim that is lost', {}, instead(4), 'the claim of a on task 1 under fence 1 is lost'],
  ['a claim in another one’s place', {}, instead(4, claimed(4, 1, 1, 'c9')), "the claim of a on task 1 under fence 1 is another one's"],
  ['a task that goes on after its end', {}, [...log, taskTold(10, 'task.updated', held)], 'task 1 was done and then task.updated'],
  [
    'a task ended by two',
    { steps: [...kept.steps, { step: 'ended', taskId: 1, agentId: 'b', fence: 2, status: 'done' }] },
    log,
    'task 1 was ended twice: by a under fence 1 and by b under fence 2',
  ],
  ['an ending that is lost', {}, instead(7), 'task 1 was done by a, and the log says nothing'],
  [
    'an ending that is another',
    {},
    instead(7, taskTold(7, 'task.failed', { ...done, status: 'failed' })),
    'task 1 was done by a, and the log says failed by a',
  ],
  ['a task that is not as it was told', { left: [next, held] }, log, 'task 1 is not what the log told of it'],
  ['a task that cannot be read', { left: [next] }, log, 'task 1 is in the log and cannot be read'],
])('the checker sees %s', (_, broken, brokenLog, violation) => {
  expect(findTaskViolations({ ...kept, ...broken }, brokenLog)).toContain(violation);
});
