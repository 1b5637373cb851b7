import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeTelegram, startFakeTelegram } from '../src/index.ts';

let telegram: FakeTelegram;
beforeEach(async () => {
  telegram = await startFakeTelegram({ chats: [{ id: 7 }, { id: -100, topics: [9000] }] });
});
afterEach(() => telegram.close());

interface Answer {
  readonly ok: boolean;
  readonly result?: unknown;
  readonly error_code?: number;
  readonly description?: string;
  readonly parameters?: object;
}

async function call(method: string, parameters: object = {}, token = telegram.token): Promise<Answer> {
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(parameters) };
  const response = await fetch(`${telegram.url}/bot${token}/${method}`, request);
  return (await response.json()) as Answer;
}

const updateIds = ({ result }: Answer) => (result as { update_id: number }[]).map(({ update_id }) => update_id);

test('updates come again until an offset beyond them confirms them', async () => {
  telegram.says({ chatId: 7, text: 'one' });
  telegram.says({ chatId: 7, text: 'two' });
  const first = updateIds(await call('getUpdates'));
  expect(first).toHaveLength(2);
  expect(updateIds(await call('getUpdates'))).toEqual(first);
  expect(updateIds(await call('getUpdates', { offset: (first[0] ?? 0) + 1 }))).toEqual(first.slice(1));
  expect(updateIds(await call('getUpdates'))).toEqual(first.slice(1));
});

test('a long poll waits for an update, and a second one ends it', async () => {
  const waiting = call('getUpdates', { timeout: 30 });
  await expect.poll(() => telegram.isPolled).toBe(true);
  telegram.says({ chatId: 7, text: 'now' });
  expect(updateIds(await waiting)).toHaveLength(1);
  const older = call('getUpdates', { offset: 5000, timeout: 30 });
  await expect.poll(() => telegram.isPolled).toBe(true);
  const newer = call('getUpdates', { offset: 5000, timeout: 1 });
  expect(await older).toMatchObject({ ok: false, error_code: 409 });
  expect(await newer).toEqual({ ok: true, result: [] });
});

test('a message is as strict as Telegram is', async () => {
  const refusal = async (parameters: object) => (await call('sendMessage', { chat_id: 7, ...parameters })).description;
  expect(await refusal({ text: 'x'.repeat(4097) })).toBe('Bad Request: message is too long');
  expect(await refusal({ text: ' \n' })).toBe('Bad Request: message text is empty');
  expect(await refusal({ text: 'x', chat_id: 8 })).toBe('Bad Request: chat not found');
  expect(await refusal({ text: 'x', reply_parameters: { message_id: 99 } })).toBe('Bad Request: message to be replied not found');
  expect(await refusal({ text: 'x', chat_id: -100, message_thread_id: 1 })).toBe('Bad Request: message thread not found');
  expect(await refusal({ text: '🙂', entities: [{ type: 'bold', offset: 1, length: 1 }] })).toBe('Bad Request: ENTITY_BOUNDS_INVALID');
  expect(telegram.takeViolations()).toEqual(['sendMessage: Bad Request: message is too long']);
  expect(await call('sendMessage', { chat_id: 7, text: 'x', colour: 'red' })).toMatchObject({ ok: false, error_code: 400 });
  expect(telegram.takeViolations()).toEqual([expect.stringContaining('colour')]);
  expect(await call('getMe', {}, '1:wrong')).toMatchObject({ ok: false, error_code: 401 });
});

test('a press is answered once, and the message shows what was edited', async () => {
  const keyboard = { inline_keyboard: [[{ text: 'Go', callback_data: 'go' }]] };
  await call('sendMessage', { chat_id: 7, text: 'Shall I?', reply_markup: keyboard });
  const [sent] = telegram.botMessages(7);
  if (!sent) throw new Error('nothing was sent');
  const answered = telegram.presses(sent, 'Go');
  expect(await call('getUpdates')).toMatchObject({ result: [{ callback_query: { id: 'query-1', data: 'go', from: { id: 7 } } }] });
  await call('answerCallbackQuery', { callback_query_id: 'query-1', text: 'Going' });
  expect(await answered).toEqual({ text: 'Going' });
  expect(await call('answerCallbackQuery', { callback_query_id: 'query-1' })).toMatchObject({ error_code: 400 });
  const edit = { chat_id: 7, message_id: sent.message_id, text: 'Gone' };
  expect(await call('editMessageText', edit)).toMatchObject({ ok: true });
  expect((await call('editMessageText', edit)).description).toContain('message is not modified');
  expect(telegram.botMessages(7)).toEqual([expect.not.objectContaining({ reply_markup: keyboard })]);
});

test('faults come in the order they were asked for, and a lost answer is of a message that was sent', async () => {
  telegram.failNext('sendMessage', { type: 'error', status: 429, description: 'Too Many Requests: retry after 3', retryAfter: 3 });
  telegram.failNext('sendMessage', { type: 'cut' });
  telegram.failNext('sendMessage', { type: 'lostAnswer' });
  expect(await call('sendMessage', { chat_id: 7, text: 'a' })).toMatchObject({ error_code: 429, parameters: { retry_after: 3 } });
  await expect(call('sendMessage', { chat_id: 7, text: 'b' })).rejects.toThrow();
  expect(telegram.botMessages(7)).toHaveLength(0);
  await expect(call('sendMessage', { chat_id: 7, text: 'c' })).rejects.toThrow();
  expect(telegram.botMessages(7).map(({ text }) => text)).toEqual(['c']);
});
