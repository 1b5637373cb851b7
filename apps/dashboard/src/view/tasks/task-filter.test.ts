import type { Task } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { fitsTask } from '../../relay/tasks.ts';
import { readTaskSearch } from './task-filter.ts';

const task = (id: number, status: Task['status'], source: string, title: string): Task => ({
  id,
  source,
  type: null,
  severity: null,
  title,
  body: '',
  target: 'tag:ops',
  channel: null,
  dedupeKey: null,
  externalUrl: null,
  metadata: null,
  status,
  claimedBy: null,
  claimId: null,
  result: null,
  progress: null,
  occurrenceCount: 1,
  lastSeenAt: 1,
  createdAt: 1,
  updatedAt: 1,
  endedAt: null,
});
const tasks = [task(4, 'open', 'ci', 'Build red'), task(3, 'blocked', 'ops', 'Disk full'), task(2, 'done', 'ops', 'Disk slow')];
const ids = (search: Parameters<typeof fitsTask>[1]) => tasks.filter((one) => fitsTask(one, search)).map(({ id }) => id);

test('by default the active ones are shown; status, source and words narrow', () => {
  expect(ids({})).toEqual([4, 3]);
  expect(ids({ status: 'ended' })).toEqual([2]);
  expect(ids({ status: 'blocked' })).toEqual([3]);
  expect(ids({ status: 'all', source: 'ops' })).toEqual([3, 2]);
  expect(ids({ status: 'all', find: ' DISK ' })).toEqual([3, 2]);
  expect([ids({ target: 'tag:ops' }), ids({ target: 'Worker' })]).toEqual([[4, 3], []]);
});

test('an address that says something else is read as the default', () => {
  expect(readTaskSearch({ status: 'nonsense', source: '', find: 42, more: 1 })).toEqual({ find: '42' });
  expect(readTaskSearch({ status: 'active', view: 'wall' })).toEqual({});
  expect(readTaskSearch({ view: 'board' })).toEqual({ view: 'board' });
  expect(readTaskSearch({ status: 'done', source: 'ci', target: '#ops' })).toEqual({ status: 'done', source: 'ci', target: '#ops' });
});
