import { expect, test } from 'vitest';
import { writtenPattern } from './reservation.ts';

test.each([
  ['/work/src/a.ts', 'work/src/a.ts'],
  ['/work/src/', 'work/src/'],
  ['/', '**'],
  ['/work/s[r-t]c/[ab]?.ts', 'work/s?c/??.ts'],
  ['/work/{a,{b,c}}.ts', 'work/*.ts'],
  ['/work/x{lib/b,src/a}.ts/y', 'work/**/y'],
  ['/work/a]b[c{d', 'work/a]b[c{d'],
])('what a command writes as %s is meant by %s', (written, pattern) => expect(writtenPattern(written)).toBe(pattern));

test('a name of brackets that nobody closes is looked through once', () => {
  for (const bracket of ['[', '{']) expect(writtenPattern(`/${bracket.repeat(500_000)}`)).toHaveLength(500_000);
});
