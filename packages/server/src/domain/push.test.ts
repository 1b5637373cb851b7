import type { RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { pushOf } from './push.ts';

const event = (more: object): RelayEvent => ({ seq: 9, at: 1_000, ...more }) as never; // of an event these alone are read
const approval = {
  agentId: 'a+b',
  approvalId: 'q',
  kind: 'execute',
  title: 'Bash: curl -H "authorization: s3cret"',
  input: { command: 's3cret' },
};
const delivery = (type: string, agentId: string) => event({ type: `delivery.${type}`, messageId: 7, agentId, from: 'Worker' });

test('what is asked, what stalls and what the owner is sent are told by who and what kind, and in no words of an agent', () => {
  const asked = pushOf(event({ type: 'approval.requested', approval: { ...approval, expiresAt: 61_000 } }));
  expect(asked).toEqual({
    topic: 'approvals',
    urgency: 'high',
    deadlineAt: 61_000,
    message: { type: 'news', title: 'a+b asks', body: 'It wants to run a command', path: '/approvals', tag: 'approval/a+b/q' },
  });
  const message = { id: 7, from: 'Worker', to: 'id:owner', subject: 's3cret', body: 's3cret' };
  expect(pushOf(event({ type: 'message.new', message }))).toMatchObject({
    topic: 'mail',
    message: { title: 'Worker writes to you', body: 'Message 7', path: '/messages/7', tag: 'message/7' },
  });
  expect(pushOf(event({ type: 'agent.stalled', agentId: 'a+b', waiting: 2 }))).toMatchObject({
    topic: 'stalls',
    message: { body: '2 messages wait unread', path: '/agents/a%2Bb', tag: 'stalled/a+b' },
  });
  expect(JSON.stringify([asked, pushOf(event({ type: 'message.new', message }))])).not.toContain('s3cret');
});

test('a question in words says that it is one', () => {
  const form = [{ id: 'f', text: 's3cret?' }];
  expect(pushOf(event({ type: 'approval.requested', approval: { ...approval, form } }))).toMatchObject({
    message: { body: 'It has a question' },
  });
});

test('what is over is told under the tag of what began it', () => {
  const tagOf = (told: RelayEvent) => {
    const found = pushOf(told);
    return found !== null && 'tag' in found ? `${found.type} ${found.tag}: ${found.body}` : found;
  };
  expect([
    tagOf(event({ type: 'approval.resolved', approval: { ...approval, status: 'denied', by: 'owner' } })),
    tagOf(delivery('seen', 'owner')),
    tagOf(delivery('dispatched', 'Worker')),
    tagOf(event({ type: 'agent.removed', agentId: 'Worker' })),
    tagOf(event({ type: 'agent.recovered', agentId: 'Worker' })),
  ]).toEqual([
    'over approval/a+b/q: It is denied, by owner',
    'over message/7: It is read',
    'over stalled/Worker: It is over',
    'over stalled/Worker: It is over',
    'over stalled/Worker: It is over',
  ]);
});

test('of what agents say to each other, what the owner writes, and mail that only arrived nobody is told', () => {
  const mail = (from: string, to: string) => event({ type: 'message.new', message: { id: 7, from, to } });
  expect(
    [mail('Worker', 'id:Lead'), mail('owner', 'id:owner'), mail('Worker', 'tag:owner'), delivery('delivered', 'owner')].map(pushOf),
  ).toEqual([null, null, null, null]);
});
