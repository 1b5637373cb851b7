import { type FakeTelegram, startFakeTelegram } from 'agent-relay-testing';
import type { Update } from 'grammy/types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBotApi } from '../src/telegram/bot-api.ts';
import { TelegramFatal } from '../src/telegram/chat-sender.ts';
import { pollUpdates } from '../src/telegram/poll-updates.ts';
import { poll } from './support/poll.ts';
import { testLog } from './support/test-log.ts';

let telegram: FakeTelegram;
beforeEach(async () => {
  telegram = await startFakeTelegram({ chats: [{ id: 7 }] });
});
afterEach(() => telegram.close());

function start(handle: (update: Update) => Promise<void>, token = telegram.token) {
  const stopping = new AbortController();
  const api = createBotApi({ token, apiRoot: telegram.url });
  const done = pollUpdates({ api, log: testLog().log, signal: stopping.signal, handle });
  const stop = () => {
    stopping.abort();
    return done;
  };
  return { done, stop };
}

test('an update is confirmed only after it was handled', async () => {
  let finish = () => {};
  const handled = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const seen: (string | undefined)[] = [];
  const polling = start(async ({ message }) => {
    seen.push(message?.text);
    await handled;
  });
  telegram.says({ chatId: 7, text: 'one' });
  telegram.says({ chatId: 7, text: 'two' });
  await poll('the first update', () => seen.length === 1);
  expect(telegram.unconfirmed).toHaveLength(2);
  finish();
  await poll('both to be confirmed', () => telegram.unconfirmed.length === 0);
  expect(seen).toEqual(['one', 'two']);
  await polling.stop();
});

test('stopping finishes the update in hand, confirms it on the way out, and leaves the next', async () => {
  const seen: (string | undefined)[] = [];
  const polling: ReturnType<typeof start> = start(async ({ message }) => {
    seen.push(message?.text);
    if (seen.length === 1) void polling.stop();
  });
  telegram.says({ chatId: 7, text: 'one' });
  telegram.says({ chatId: 7, text: 'two' });
  await polling.done;
  expect(seen).toEqual(['one']);
  expect(telegram.unconfirmed).toMatchObject([{ message: { text: 'two' } }]);
});

test('a lost connection, an error of the server and a second poller are waited out', async () => {
  telegram.failNext('getUpdates', { type: 'cut' });
  telegram.failNext('getUpdates', { type: 'error', status: 500, description: 'Internal Server Error' });
  telegram.failNext('getUpdates', { type: 'error', status: 409, description: 'Conflict: terminated by other getUpdates request' });
  const seen: (string | undefined)[] = [];
  const polling = start(async ({ message }) => void seen.push(message?.text));
  telegram.says({ chatId: 7, text: 'still here' });
  await poll('the update', () => seen.length === 1);
  await polling.stop();
});

test('a token that is not accepted ends the polling', async () => {
  await expect(start(async () => {}, '1:wrong').done).rejects.toBeInstanceOf(TelegramFatal);
});
