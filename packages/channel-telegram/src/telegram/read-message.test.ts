import type { Message } from 'grammy/types';
import { expect, test } from 'vitest';
import { messageIdOf, type ReadMessage, readMessage } from './read-message.ts';

const ann = { id: 7, is_bot: false, first_name: 'Ann', last_name: 'B\nC', username: 'ann' };
const privateChat = { id: 7, type: 'private', first_name: 'Ann' };
const forum = { id: -100, type: 'supergroup', title: 'Team', is_forum: true };

/** A message as the vendor sends it; the type's many optional fields are of no use here. */
function read(fields: object): ReadMessage {
  return readMessage({ message_id: 42, date: 1, chat: privateChat, from: ann, ...fields } as unknown as Message, { username: 'relay_bot' });
}

const command = (text: string, length = text.split(' ')[0]?.length ?? 0) => ({
  text,
  entities: [{ type: 'bot_command', offset: 0, length }],
});

test('a text carries its place, its sender on one line, and its own number', () => {
  expect(read({ text: 'Hello' })).toEqual({
    type: 'text',
    place: { chatId: 7, topicId: null },
    messageId: 42,
    body: 'Hello',
    sender: { id: '7', name: 'Ann B C (@ann)' },
    isEdit: false,
    shown: 'Hello',
    externalId: '42',
    replyToMessageId: null,
  });
});

test('a reply names the message it answers, but in a topic not the one that opened it', () => {
  const topic = { chat: forum, message_thread_id: 9, is_topic_message: true };
  expect(read({ text: 'yes', reply_to_message: { message_id: 41 } })).toMatchObject({ replyToMessageId: 41 });
  expect(read({ text: 'yes', ...topic, reply_to_message: { message_id: 41 } })).toMatchObject({ replyToMessageId: 41 });
  expect(read({ text: 'yes', ...topic, reply_to_message: { message_id: 9, forum_topic_created: {} } })).toMatchObject({
    place: { chatId: -100, topicId: 9 },
    replyToMessageId: null,
  });
});

test('the thread of replies in a plain group is no conversation of its own', () => {
  expect(read({ text: 'yes', chat: forum, message_thread_id: 9 })).toMatchObject({ place: { chatId: -100, topicId: null } });
});

test('an edit is a text of its own that answers the one before', () => {
  const edited = read({ text: 'Hello!', edit_date: 99 });
  expect(edited).toMatchObject({ type: 'text', body: '(edited)\nHello!', externalId: '42@99', replyToMessageId: 42 });
  expect(messageIdOf('42@99')).toBe(42);
  expect(messageIdOf('42')).toBe(42);
  expect(messageIdOf('x42')).toBeNull();
});

test('a caption is passed on and says what is missing; other content is not supported', () => {
  expect(read({ caption: 'The bug', photo: [] })).toMatchObject({ type: 'text', body: '(with a photo that is not passed on)\nThe bug' });
  expect(read({ sticker: {} })).toMatchObject({ type: 'unsupported' });
  expect(read({ sticker: {}, edit_date: 5 })).toMatchObject({ type: 'nothing' });
  expect(read({ new_chat_members: [ann] })).toMatchObject({ type: 'nothing' });
});

test('commands are ours when nobody else is addressed, and text for the agent when we do not know them', () => {
  expect(read(command('/bind@Relay_Bot  tag:backend '))).toMatchObject({ type: 'command', name: 'bind', argument: 'tag:backend' });
  expect(read(command('/STATUS'))).toMatchObject({ type: 'command', name: 'status', argument: '' });
  expect(read(command('/bind@other_bot x'))).toMatchObject({ type: 'nothing' });
  expect(read(command('/compact now'))).toMatchObject({ type: 'text', body: '/compact now' });
});

test('a forwarded command is shown and not given', () => {
  const forward_origin = { type: 'hidden_user', sender_user_name: 'Eve' };
  expect(read({ ...command('/unbind'), forward_origin })).toMatchObject({ type: 'text', body: '(forwarded from Eve)\n> /unbind' });
});

test('bots are not listened to; a chat that speaks as itself is', () => {
  const anonymous = { id: 1, is_bot: true, first_name: 'Group' };
  expect(read({ text: 'x', from: anonymous })).toMatchObject({ type: 'nothing' });
  expect(read({ text: 'x', from: anonymous, sender_chat: forum, chat: forum })).toMatchObject({ sender: { id: '-100', name: 'Team' } });
});
