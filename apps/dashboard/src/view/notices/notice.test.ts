import type { RelayEvent } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { noticeOf } from './notice.ts';

const message = (from: string, to: string, body: string): RelayEvent =>
  ({ type: 'message.new', seq: 1, at: 1, matched: 1, message: { id: 7, from, to, subject: null, body } }) as never; // of a message these alone are read

test('a person is told what an agent asks, that one stalls, and what one writes to them', () => {
  const approval = { agentId: 'Worker', approvalId: 'a', title: 'Bash:\nmake \u202edeploy' } as never; // of a question these alone are read
  expect(noticeOf({ type: 'approval.requested', seq: 1, at: 1, approval })).toEqual({
    title: 'Worker asks',
    body: 'Bash: make \\u{202e}deploy',
    path: '/approvals',
    tag: 'approval/Worker/a',
  });
  expect(noticeOf({ type: 'agent.stalled', seq: 1, at: 1, agentId: 'a+b', waiting: 2, oldestAt: 0 })).toMatchObject({
    body: 'Not read: 2 messages wait',
    path: '/agents/a%2Bb',
  });
  expect(noticeOf(message('Worker', 'id:owner', 'x'.repeat(200)))).toEqual({
    title: 'Worker writes to you',
    body: `${'x'.repeat(160)}…`,
    path: '/messages/7',
    tag: 'message/7',
  });
});

test('of what agents say to each other, and of what the owner does, nobody is told', () => {
  expect(noticeOf(message('Worker', 'id:Lead', 'hi'))).toBe(null);
  expect(noticeOf(message('owner', 'id:owner', 'hi'))).toBe(null);
  expect(noticeOf({ type: 'message.read', seq: 1, at: 1, messageId: 1, agentId: 'Lead' })).toBe(null);
});
