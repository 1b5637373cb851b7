import { type FakeTelegram, startFakeTelegram, type TelegramFault } from 'agent-relay-testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBotApi } from '../src/telegram/bot-api.ts';
import { ChatSender, TelegramFatal, TelegramRefusal } from '../src/telegram/chat-sender.ts';
import { poll } from './support/poll.ts';
import { testLog } from './support/test-log.ts';

let telegram: FakeTelegram;
let over: AbortController;
beforeEach(async () => {
  telegram = await startFakeTelegram({ chats: [{ id: 7 }, { id: 8 }, { id: -100, topics: [9000] }] });
  over = new AbortController();
});
afterEach(async () => {
  over.abort();
  await telegram.close();
});

function senderOf({ intervalMs = 0, token = telegram.token, apiRoot = telegram.url } = {}): ChatSender {
  const { log } = testLog();
  return new ChatSender({ api: createBotApi({ token, apiRoot }), clock: Date, log, signal: over.signal, intervalMs });
}

const ann = { chatId: 7, topicId: null };
const texts = (chatId: number) => telegram.botMessages(chatId).map(({ text }) => text);
const tooMany = (retryAfter: number): TelegramFault => ({ type: 'error', status: 429, description: 'Too Many Requests', retryAfter });

test('messages to one chat keep their order and their distance; other chats do not wait for them', async () => {
  const sender = senderOf({ intervalMs: 150 });
  const sent: string[] = [];
  const startedAt = performance.now();
  const say = async (chatId: number, text: string) => {
    await sender.send({ chatId, topicId: null }, { text });
    sent.push(text);
  };
  await Promise.all([say(7, 'a1'), say(7, 'a2'), say(7, 'a3'), say(8, 'b1')]);
  expect(texts(7)).toEqual(['a1', 'a2', 'a3']);
  expect(sent.indexOf('b1')).toBeLessThan(sent.indexOf('a2'));
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(295);
});

test('a rate limit is waited out for as long as Telegram says, and the message is sent once', async () => {
  telegram.failNext('sendMessage', tooMany(1));
  const startedAt = performance.now();
  await senderOf().send(ann, { text: 'patience' });
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
  expect(texts(7)).toEqual(['patience']);
});

test('a connection that breaks and a server that stumbles cost nothing but time', async () => {
  telegram.failNext('sendMessage', { type: 'cut' });
  telegram.failNext('sendMessage', { type: 'error', status: 502, description: 'Bad Gateway' });
  await senderOf().send(ann, { text: 'at last' });
  expect(texts(7)).toEqual(['at last']);
});

test('what Telegram refuses is refused with its reason, and the next message goes its way', async () => {
  const sender = senderOf();
  telegram.block(8);
  const refusals = await Promise.allSettled([
    sender.send({ chatId: 8, topicId: null }, { text: 'x' }),
    sender.send({ chatId: 99, topicId: null }, { text: 'x' }),
    sender.send({ chatId: -100, topicId: 1 }, { text: 'x' }),
  ]);
  expect(
    refusals.map((each) => (each.status === 'rejected' ? [each.reason instanceof TelegramRefusal, each.reason.message] : null)),
  ).toEqual([
    [true, 'bot was blocked by the user'],
    [true, 'chat not found'],
    [true, 'message thread not found'],
  ]);
  await sender.send({ chatId: -100, topicId: 9000 }, { text: 'in the topic' });
  expect(telegram.botMessages(-100)).toMatchObject([{ text: 'in the topic', message_thread_id: 9000 }]);
});

test('a token that is not accepted is no refusal of this one message', async () => {
  await expect(senderOf({ token: '1:wrong' }).send(ann, { text: 'x' })).rejects.toBeInstanceOf(TelegramFatal);
});

test('the signal ends a wait at once, and what waited behind it', async () => {
  const sender = senderOf();
  telegram.failNext('sendMessage', tooMany(3600));
  const waiting = [sender.send(ann, { text: 'a' }), sender.send(ann, { text: 'b' })];
  await poll('the first refusal', () => telegram.calls('sendMessage').length === 1);
  over.abort(new Error('stopped'));
  const settled = await Promise.allSettled(waiting);
  expect(settled).toEqual([
    expect.objectContaining({ reason: new Error('stopped') }),
    expect.objectContaining({ reason: new Error('stopped') }),
  ]);
  await sender.drain();
  expect(texts(7)).toEqual([]);
});
