import { RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { plainLog } from './log.ts';

test('on a terminal a line of the log is one for people, down to the level that was asked for', () => {
  const lines: string[] = [];
  const log = plainLog('warn', (line) => lines.push(line));
  log.error('a command failed', { method: 'session/start', error: new RelayError('busy', 'no room') });
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

test('a fault is told with what caused it and where it arose, and what it says forges none of these lines', () => {
  const lines: string[] = [];
  const log = plainLog('warn', (line) => lines.push(line));
  const ground = new Error('no room\n    at forged (nowhere)');
  const error = new RelayError('internal', 'Starting failed', { cause: ground });
  log.error('a command failed', { error });
  const [first, ...places] = lines;
  expect(first).toBe('error: a command failed (error Starting failed, because of: no room at forged (nowhere))');
  expect(places.length).toBeGreaterThan(1);
  expect(places[0]).toContain('log.test.ts');
  expect(places.filter((line) => !line.startsWith('    at ') || line.includes('forged'))).toEqual([]);
  lines.length = 0;
  log.warn('a command failed', { error });
  expect(lines).toEqual(['warning: a command failed (error Starting failed)']);
});

test('whatever stands in a field, a line is said', () => {
  const lines: string[] = [];
  const log = plainLog('warn', (line) => lines.push(line));
  const endless: { self?: unknown } = {};
  endless.self = endless;
  const circular = new Error('one');
  circular.cause = circular;
  const refused = new AggregateError([new Error('no answer at ::1'), new Error('no answer at 127.0.0.1')]);
  log.warn('odd', { size: 2n, sizes: [1n], endless, refused });
  log.error('odder', { circular });
  expect(lines.slice(0, 2)).toEqual([
    'warning: odd (size "2", sizes ["1"], endless in a form that cannot be shown, refused no answer at ::1; no answer at 127.0.0.1)',
    'error: odder (circular one)',
  ]);
});
