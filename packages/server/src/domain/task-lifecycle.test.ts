import { type Claim, RelayError, type Task, type TaskStatus, TaskStatusSchema } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { assertMayFollow, callbackEventOf, endTask, followClaim, isActive, repeatTask, updateTask } from './task-lifecycle.ts';

const task = (more: Partial<Task> = {}): Task => ({
  id: 7,
  source: 'ops',
  type: null,
  severity: null,
  title: 'disk full',
  body: '',
  target: 'cap:ops',
  channel: null,
  dedupeKey: 'disk',
  externalUrl: null,
  metadata: null,
  status: 'open',
  claimedBy: null,
  claimId: null,
  result: null,
  progress: null,
  occurrenceCount: 1,
  lastSeenAt: 1,
  createdAt: 1,
  updatedAt: 1,
  endedAt: null,
  ...more,
});
const held: Claim = {
  claimId: 'c',
  kind: 'task',
  subjectId: 7,
  agentId: 'a',
  epoch: 1,
  fence: 1,
  claimedAt: 5,
  progress: null,
  status: 'held',
  leaseExpiresAt: 100,
};
const ended = (rest: object): Claim => {
  const { status: _held, leaseExpiresAt: _lease, ...kept } = held;
  return { ...kept, ...rest } as Claim; // the rest is one of the endings, spelt out where it is used
};

const allowed: Readonly<Record<TaskStatus, string>> = {
  open: 'open claimed done failed canceled',
  claimed: 'open claimed in_progress blocked done failed canceled',
  in_progress: 'open in_progress blocked done failed canceled',
  blocked: 'open in_progress blocked done failed canceled',
  done: '',
  failed: '',
  canceled: '',
};

describe('what state may follow which', () => {
  test.each(TaskStatusSchema.options)('%s', (status) => {
    const followers = TaskStatusSchema.options.filter((next) => {
      try {
        assertMayFollow(task({ status }), next);
        return true;
      } catch (error) {
        if (error instanceof RelayError) return false;
        throw error;
      }
    });
    expect(followers.join(' ')).toBe(allowed[status]);
    expect(isActive({ status })).toBe(allowed[status] !== '');
  });
});

describe('a claim moves its task', () => {
  const claimed = task({ status: 'claimed', claimedBy: 'a', claimId: 'c' });

  test('taken, it is in one agent’s hands', () => {
    expect(followClaim(task(), held, 5)).toMatchObject({
      type: 'task.claimed',
      by: 'a',
      task: { status: 'claimed', claimedBy: 'a', claimId: 'c' },
    });
  });

  test('renewed, nothing happens; with news, it is in progress', () => {
    expect(followClaim(claimed, { ...held, leaseExpiresAt: 200 }, 6)).toBe(null);
    expect(followClaim(claimed, { ...held, progress: 40 }, 6)).toMatchObject({
      type: 'task.updated',
      task: { status: 'in_progress', progress: 40 },
    });
  });

  test('given back or run out, it is open; an older claim’s end changes nothing', () => {
    const open = { status: 'open', claimedBy: null, claimId: null };
    expect(followClaim(claimed, ended({ status: 'released', endedAt: 6, reason: 'lunch' }), 6)).toMatchObject({
      task: open,
      by: 'a',
      detail: 'lunch',
    });
    expect(followClaim(claimed, ended({ status: 'expired', endedAt: 6 }), 6)).toMatchObject({ task: open, by: 'relay' });
    expect(followClaim({ ...claimed, claimId: 'newer' }, ended({ status: 'expired', endedAt: 6 }), 6)).toBe(null);
  });

  test('completed, it is done; what comes after the end changes nothing', () => {
    const done = followClaim(claimed, ended({ status: 'completed', endedAt: 6, result: { ok: true } }), 6);
    expect(done).toMatchObject({ type: 'task.completed', task: { status: 'done', result: { ok: true }, endedAt: 6, claimedBy: 'a' } });
    expect(done && followClaim(done.task, held, 7)).toBe(null);
  });
});

test('a repetition counts and changes nothing else that the task says', () => {
  const step = repeatTask(task(), { title: 'another title', severity: 'critical' }, 'integration:ops', 9);
  expect(step).toEqual({
    task: task({ occurrenceCount: 2, lastSeenAt: 9, updatedAt: 9 }),
    type: 'task.repeated',
    by: 'integration:ops',
    detail: { title: 'another title', severity: 'critical' },
  });
});

test('its source is told of every step but its own repetitions, by the names it knows', () => {
  const before = task({ status: 'in_progress' });
  const update = (status?: 'blocked') => updateTask(before, { status, progress: 1, by: 'a', at: 2 });
  expect(callbackEventOf(update(), before)).toBe('task.updated');
  expect(callbackEventOf(update('blocked'), before)).toBe('task.status');
  expect(callbackEventOf(endTask(before, { status: 'failed', by: 'a', at: 2 }), before)).toBe('task.status');
  expect(callbackEventOf(repeatTask(before, { title: 't' }, 'ops', 2), before)).toBe(null);
});
