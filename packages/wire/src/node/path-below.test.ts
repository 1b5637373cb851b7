import { expect, test } from 'vitest';
import { isWithin, pathBelow } from './path-below.ts';

test.each([
  ['/work', '/work', ''],
  ['/work/', '/work/src/a.ts', 'src/a.ts'],
  ['/work', '/work/..notes/a', '..notes/a'],
  ['/work', '/work/src/../a', 'a'],
  ['/', '/etc', 'etc'],
  ['/work', '/work-2/a', null],
  ['/work', '/work/../etc', null],
  ['/work', '/', null],
  ['/work/a', '/work', null],
])('below %s lies %s as %j', (folder, path, way) => {
  expect([pathBelow(folder, path), isWithin(path, folder)]).toEqual([way, way !== null]);
});
