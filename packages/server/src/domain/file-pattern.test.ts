import { expect, test } from 'vitest';
import { patternHolds, patternsOverlap } from './file-pattern.ts';

const below = (pattern: string, folder = '/work') => ({ folder, pattern });

test.each([
  ['src/auth.ts', 'src/auth.ts', true],
  ['src/auth.ts', 'src/auth.js', false],
  ['src/*.ts', 'src/auth.ts', true],
  ['src/*.ts', 'src/deep/auth.ts', false],
  ['src/**', 'src/deep/er/auth.ts', true],
  ['src/', 'src/deep/er/auth.ts', true],
  ['src/', 'source/a.ts', false],
  ['**/*.md', 'docs/**', true],
  ['**/*.md', 'docs/*.ts', false],
  ['a*b', '*ab', true],
  ['a*b', 'b*a', false],
  ['file-?.ts', 'file-*.ts', true],
  ['file-?.ts', 'file-10.ts', false],
  ['**', 'x', true],
])('%s and %s meet: %s', (one, other, expected) => {
  expect(patternsOverlap(below(one), below(other))).toBe(expected);
  expect(patternsOverlap(below(other), below(one))).toBe(expected);
});

test('a folder is taken as it is called, and the same file may be named from different ones', () => {
  expect(patternsOverlap(below('src/a.ts', '/work'), below('a.ts', '/work/src'))).toBe(true);
  expect(patternsOverlap(below('a.ts', '/work/*'), below('a.ts', '/work/src'))).toBe(false);
  expect(patternsOverlap(below('**', '/work'), below('**', '/other'))).toBe(false);
  expect(patternHolds(below('src/**/*.ts'), '/work/src/deep/a.ts')).toBe(true);
  expect(patternHolds(below('src/*.ts'), '/work/src/*.ts.bak')).toBe(false);
});

test('patterns made to be slow are not', () => {
  const nasty = `${'*a'.repeat(49)}b`;
  const begun = performance.now();
  expect(patternsOverlap(below(nasty), below(`${'a*'.repeat(49)}c`))).toBe(false);
  expect(performance.now() - begun).toBeLessThan(2_000);
});
