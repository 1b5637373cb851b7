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
