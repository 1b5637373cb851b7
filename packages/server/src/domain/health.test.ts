import { expect, test } from 'vitest';
import { diskHealth, feedHealth, localNodeHealth, overallStatus } from './health.ts';

test('the whole is as well as its worst part', () => {
  expect(overallStatus({})).toBe('ok');
  expect(overallStatus({ database: { status: 'ok' }, disk: { status: 'degraded' } })).toBe('degraded');
  expect(overallStatus({ database: { status: 'ok' }, localNode: { status: 'starting' } })).toBe('starting');
  expect(overallStatus({ disk: { status: 'degraded' }, localNode: { status: 'starting' } })).toBe('degraded');
  expect(overallStatus({ database: { status: 'failing' }, disk: { status: 'degraded' } })).toBe('failing');
});

test('a node that has just been started is on its way up, and one that stays away is missed', () => {
  expect([0, 29_999, 30_000].map((sinceMs) => localNodeHealth({ isOnline: false, sinceMs, remark: null }).status)).toEqual([
    'starting',
    'starting',
    'degraded',
  ]);
  expect(localNodeHealth({ isOnline: true, sinceMs: 0, remark: null })).toEqual({ status: 'ok' });
  expect(localNodeHealth({ isOnline: true, sinceMs: 0, remark: 'It is old' })).toEqual({ status: 'ok', reason: 'It is old' });
});

test('a disk that is nearly full is said with how much is left', () => {
  expect(diskHealth(256 * 1024 * 1024)).toEqual({ status: 'ok' });
  expect(diskHealth(10_500_000)).toEqual({ status: 'degraded', reason: '10 MiB are left on the disk of the database' });
});

test('a log that cannot be read is said with how far readers are behind', () => {
  expect(feedHealth({ fault: null, lag: 3 })).toEqual({ status: 'ok' });
  expect(feedHealth({ fault: 'disk I/O error', lag: 3 })).toMatchObject({ status: 'failing', reason: expect.stringContaining('3 events') });
});
