import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

test('what went wrong is in the line: what it says, where, and what caused it', () => {
  const lines: string[] = [];
  const log = createLogger('warn', { write: (line) => void lines.push(line) });
  log
    .child({ part: 'store' })
    .error('request failed', { path: '/api/x', error: new TypeError('a bug', { cause: new Error('its cause') }) });
  log.info('nothing of it', {});
  const entries = lines.map((line) => JSON.parse(line));
  const stack = expect.stringContaining('logger.test.ts');
  const error = { type: 'TypeError', message: 'a bug: its cause', stack };
  expect(entries).toMatchObject([{ level: 50, msg: 'request failed', part: 'store', path: '/api/x', error }]);
});

test('what nobody sees is spelled out, and the line stays the JSON that it was', () => {
  const lines: string[] = [];
  const fields = { folder: 'a\u009b2Jb\u202ec' };
  createLogger('info', { write: (line) => void lines.push(line) }).info('started', fields);
  expect(lines.join('')).not.toMatch(/[\u0080-\u009f\u202a-\u202e]/u);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject(fields);
});
