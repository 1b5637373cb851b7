import { expect, test } from 'vitest';
import { takesGzip } from './packed-files.ts';

test.each([
  ['gzip, deflate, br', true],
  ['br;q=1.0, GZIP;q=0.8', true],
  ['*', true],
  ['gzip;q=0, *', false],
  ['gzip; q=0.0', false],
  ['identity', false],
  ['', false],
  [undefined, false],
])('a browser that accepts %s', (header, expected) => {
  expect(takesGzip(header)).toBe(expected);
});
