import { expect, test } from 'vitest';
import { createLogger, createPlainLogger } from './logger.ts';

test('on a terminal a line of the log is one for people, down to the level that was asked for', () => {
  const lines: string[] = [];
  const log = createPlainLogger('warn', (line) => lines.push(line));
  log.error('a command failed', { method: 'session/start', error: new Error('no room') });
  log.warn('a heartbeat failed');
  log.info('leaving', { signal: 'SIGINT' });
  log.debug('a presence was not reported');
  expect(lines).toEqual(['error: a command failed method="session/start" error=no room', 'warn: a heartbeat failed']);
});

test.runIf(process.platform === 'linux')('a log that cannot be written ends nothing', async () => {
  const log = createLogger('info', '/dev/full');
  for (const word of ['one', 'two']) log.info(word);
  await new Promise((resolve) => setImmediate(resolve));
});
