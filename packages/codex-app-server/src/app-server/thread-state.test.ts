import { expect, test } from 'vitest';
import { readFixture } from '../../test/read-fixture.ts';
import { type CodexNotification, parseNotification } from './notifications.ts';
import { idle, nextThreadState, type ThreadState } from './thread-state.ts';

const after = (notifications: readonly CodexNotification[], from: ThreadState = idle): ThreadState =>
  notifications.reduce((state, notification) => {
    const known = parseNotification(notification);
    return known ? nextThreadState(state, known) : state;
  }, from);

const turn = (method: string, id: string, status = 'inProgress') => ({ method, params: { threadId: 't', turn: { id, status } } });
const active = { status: 'active', turnId: 'a', waitsFor: [] } as const;

test('a recorded turn leaves the thread idle, a failed one in systemError', () => {
  expect(after(readFixture('command'))).toEqual(idle);
  expect(after(readFixture('failed'))).toEqual({ status: 'systemError' });
});

test('the status says idle before the turn has ended: the turn decides', () => {
  expect(
    after([turn('turn/started', 'a'), { method: 'thread/status/changed', params: { threadId: 't', status: { type: 'idle' } } }]),
  ).toEqual(active);
});

test('the end of another turn does not end this one', () => {
  expect(after([turn('turn/completed', 'b', 'completed')], active)).toEqual(active);
});

test('what a turn waits for is known, and forgotten when it goes on', () => {
  const status = (activeFlags: string[]) => ({
    method: 'thread/status/changed',
    params: { threadId: 't', status: { type: 'active', activeFlags } },
  });
  expect(after([status(['waitingOnApproval'])], active)).toEqual({ ...active, waitsFor: ['waitingOnApproval'] });
  expect(after([status(['waitingOnApproval']), status([])], active)).toEqual(active);
});

test('a thread that the server let go is unloaded', () => {
  expect(after([{ method: 'thread/closed', params: { threadId: 't' } }], active)).toEqual({ status: 'unloaded' });
});
