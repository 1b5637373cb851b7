import type { AgentEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { describeActivity } from './describe-activity.ts';

const line = (event: AgentEvent) =>
  describeActivity({ id: 1, agentId: 'Worker', sessionId: 's', seq: 1, at: 0, late: false, event })?.replace(/^.*Worker {2}/u, '');
const item = { turnId: 't', itemId: 'i' };

test('what failed or was declined says why', () => {
  const completed = { type: 'tool.completed', ...item } as const;
  expect([
    line({ ...completed, outcome: 'failed', exitCode: 3, output: 'one\ntwo\nthree\nnot ok 4\n1 test failed\n' }),
    line({ ...completed, outcome: 'declined', output: 'A person did not allow this: too risky' }),
    line({ ...completed, outcome: 'interrupted' }),
    line({ ...completed, outcome: 'succeeded', output: 'x' }),
    line({ type: 'turn.failed', turnId: 't', error: { code: 'rate_limited', message: 'Try later', retryable: true } }),
    line({ type: 'approval.resolved', approvalId: 'a', outcome: 'denied', by: 'owner', message: 'not on a Friday' }),
    line({ type: 'approval.resolved', approvalId: 'a', outcome: 'allowed', by: 'owner', updatedInput: { command: 'ls -l' } }),
    line({ type: 'approval.resolved', approvalId: 'a', outcome: 'allowed', by: 'owner', updatedInput: { path: '/a' } }),
  ]).toEqual([
    '• failed with exit code 3: not ok 4 1 test failed',
    '• declined: A person did not allow this: too risky',
    '• interrupted',
    undefined,
    'turn failed (rate_limited): Try later',
    'denied by owner: not on a Friday',
    'allowed by owner; changed to: ls -l',
    'allowed by owner; changed to: {"path":"/a"}',
  ]);
});

test('mail that an agent was handed is shown without the nonces that are for the agent alone', () => {
  const text = '[msg:7] from owner: Is it green?\n[end msg:7 owner 7f3a]';
  expect(line({ type: 'user.message', text, messageIds: [7] })).toBe('← [msg:7] from owner: Is it green?');
});
