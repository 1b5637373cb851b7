import { HttpError } from 'grammy/web';
import { expect, test } from 'vitest';
import { createLogger, redact } from './logger.ts';

test('a token never reaches the log, whatever it hides in', () => {
  const token = '123456:AA/bb CC';
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', secrets: [token], write: (line) => lines.push(line) });
  const error = new HttpError('Network request failed', new Error(`request to https://api.example/bot${token}/getMe failed`));
  log.error(`at ${token}`, { error, url: `https://api.example/bot${encodeURIComponent(token)}/getMe`, nested: { deep: [token] } });
  expect(lines.join('')).not.toContain('AA/bb');
  expect(lines.join('')).not.toContain('AA%2Fbb');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ error: { message: 'Network request failed', cause: { type: 'Error' } } });
});

test('what is no secret is left alone', () => {
  expect(redact('at bot123/getMe', ['456'])).toBe('at bot123/getMe');
});
