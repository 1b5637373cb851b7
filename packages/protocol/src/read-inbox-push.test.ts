import { expect, test } from 'vitest';
import type { InboxItem } from './message.ts';
import { readInboxPush } from './read-inbox-push.ts';

const item: InboxItem = {
  message: {
    id: 7,
    from: 'Lead',
    to: 'id:Worker',
    body: 'Look at the build',
    subject: null,
    channel: null,
    kind: 'chat',
    claimable: false,
    replyTo: null,
    threadId: 7,
    mode: 'urgent',
    payload: null,
    meta: null,
    expiresAt: null,
    sender: { relation: 'owner', principal: 'owner' },
    hops: 0,
    createdAt: 1,
    deletedAt: null,
  },
  state: 'queued',
  nonce: 'n1',
};

test('what a relay of this version pushes is read as it is', () => {
  expect(readInboxPush({ subscriptionId: 's', items: [item, item] })).toEqual({ subscriptionId: 's', items: [item, item], unreadable: 0 });
});

test('words of a later version fall back to those that grant and disturb least, and fields of it are passed over', () => {
  const { message } = item;
  const sender = { relation: 'deputy', principal: 'person:ada', since: 3 };
  const later = { ...item, state: 'pondered', colour: 'red', message: { ...message, mode: 'whisper', sender, weight: 2 } };
  const read = {
    ...item,
    state: 'dispatched',
    message: { ...message, mode: 'next', sender: { relation: 'peer', principal: 'person:ada' } },
  };
  expect(readInboxPush({ subscriptionId: 's', items: [later], more: true })).toEqual({ subscriptionId: 's', items: [read], unreadable: 0 });
});

test.each([null, {}, { ...item, message: null }, { ...item, nonce: 1 }])('%j is no mail, and costs none of its neighbours', (broken) => {
  const items = [item, broken, item];
  expect(readInboxPush({ subscriptionId: 's', items })).toEqual({ subscriptionId: 's', items: [item, item], unreadable: 1 });
});
