import { GrammyError, HttpError } from 'grammy/web';
import { expect, test } from 'vitest';
import { judgeFailure } from './judge-failure.ts';

const answered = (error_code: number, description: string, parameters = {}) =>
  judgeFailure(new GrammyError('Call failed', { ok: false, error_code, description, parameters }, 'sendMessage', {}));

test('too many requests wait as long as Telegram says', () => {
  expect(answered(429, 'Too Many Requests: retry after 7', { retry_after: 7 })).toEqual({ type: 'wait', ms: 7000 });
});

test('what may pass is tried again, and a lost answer is told from a failed call', () => {
  expect(answered(502, 'Bad Gateway')).toEqual({ type: 'retry', isAnswered: true });
  expect(judgeFailure(new HttpError('Network request failed', new Error('socket hang up')))).toEqual({ type: 'retry', isAnswered: false });
});

test('what will not pass gives the reason in words', () => {
  expect(answered(403, 'Forbidden: bot was blocked by the user')).toEqual({
    type: 'refused',
    reason: 'bot was blocked by the user',
    status: 403,
  });
  expect(answered(400, 'Bad Request: chat not found')).toEqual({ type: 'refused', reason: 'chat not found', status: 400 });
  expect(answered(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: -1005 })).toEqual({
    type: 'refused',
    reason: 'the group has become a supergroup with the id -1005; allow and bind that one',
    status: 400,
  });
});

test('a token that is not accepted ends the bot, and a bug is not taken for an answer', () => {
  expect(answered(401, 'Unauthorized')).toEqual({ type: 'fatal', reason: 'Telegram does not accept the bot token' });
  expect(judgeFailure(new TypeError('x is not a function'))).toBeNull();
});
