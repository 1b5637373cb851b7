import { expect, test } from 'vitest';
import { placeOutside } from './channel.ts';

const found = { channelId: 'tg', message: { id: 1, from: 'a', meta: null }, answered: [], inThread: null, bindings: [] };
const link = (conversationId: string, externalId: string) => ({ messageId: 1, conversationId, externalId });
const binding = (conversationId: string, mode: 'exclusive' | 'fanout', target = 'id:a') => ({
  bindingId: conversationId,
  channelId: 'tg',
  conversationId,
  target,
  mode,
  createdAt: 0,
  createdBy: 'owner',
});

test('a conversation that is named wins over the one that is answered, and its own message is answered where there is one', () => {
  const message = { ...found.message, meta: { channel: { conversationId: 'two' } } };
  const answered = [link('one', '1'), link('two', '2')];
  expect(placeOutside({ ...found, message, answered })).toEqual({ conversationId: 'two', replyToExternalId: '2' });
  expect(placeOutside({ ...found, message, answered: [link('one', '1')] })).toEqual({ conversationId: 'two', replyToExternalId: null });
});

test.each([{ channel: 'chat' }, { channel: { conversationId: '' } }, { channel: { conversationId: '*' } }, { channel: null }])(
  '%j names no conversation',
  (meta) => {
    const message = { ...found.message, meta };
    expect(placeOutside({ ...found, message, inThread: link('one', '1') }).conversationId).toBe('one');
  },
);

test('the only conversation bound to the sender alone counts; a group, a fan-out and the rest do not', () => {
  const others = [binding('fan', 'fanout'), binding('group', 'exclusive', 'tag:a'), binding('*', 'exclusive')];
  expect(placeOutside({ ...found, bindings: [...others, binding('own', 'exclusive')] }).conversationId).toBe('own');
  expect(() => placeOutside({ ...found, bindings: others })).toThrow('belongs to no conversation of tg');
  expect(() => placeOutside({ ...found, bindings: [binding('one', 'exclusive'), binding('two', 'exclusive')] })).toThrow();
});
