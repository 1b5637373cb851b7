import { expect, test } from 'vitest';
import { plainLog } from './log.ts';

test('on a terminal a line of the log is one for people, down to the level that was asked for', () => {
  const lines: string[] = [];
  const log = plainLog('warn', (line) => lines.push(line));
  log.error('a command failed', { method: 'session/start', error: new Error('no room') });
  log.warn('a heartbeat failed');
  log.warn('local node taken over', { pid: 42, places: ['/a'] });
  log.info('leaving', { signal: 'SIGINT' });
  log.debug('a presence was not reported');
  expect(lines).toEqual([
    'error: a command failed (method session/start, error no room)',
    'warning: a heartbeat failed',
    'warning: local node taken over (pid 42, places ["/a"])',
  ]);
});

test('what a line tells of others begins no line of its own', () => {
  const lines: string[] = [];
  const log = plainLog('info', (line) => lines.push(line));
  log.warn('a command failed', {
    error: new Error('no room\n  Dashboard: http://elsewhere.test/login'),
    name: 'a\r\nb\u{2028}c',
    gone: undefined,
  });
  expect(lines).toEqual(['warning: a command failed (error no room Dashboard: http://elsewhere.test/login, name a b c, gone undefined)']);
});
