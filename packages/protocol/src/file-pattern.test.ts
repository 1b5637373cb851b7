import { beforeEach, describe, expect, test } from 'vitest';
import { patternsHold, patternsOverlap } from './file-pattern.ts';

const below = (pattern: string, folder = '/work') => ({ folder, patterns: [pattern] });

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
  expect(patternsHold(below('src/**/*.ts'), '/work/src/deep/a.ts')).toBe(true);
  expect(patternsHold(below('src/*.ts'), '/work/src/*.ts.bak')).toBe(false);
});

test('two patterns meet where some name is both', () => {
  const words = (letters: readonly string[], longest: number): string[] =>
    longest === 0 ? [''] : ['', ...words(letters, longest - 1).flatMap((rest) => letters.map((letter) => `${letter}${rest}`))];
  const names = [...new Set(words(['a', 'b'], 6))].filter((name) => name !== '');
  const patterns = [...new Set(words(['a', 'b', '*', '?'], 3))].filter((name) => name !== '' && !/^\*\*/u.test(name));
  const meant = patterns.map((pattern) => {
    const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'u');
    return { pattern, names: new Set(names.filter((name) => expression.test(name))) };
  });
  const wrong = meant.flatMap((one) =>
    meant.filter(
      (other) => patternsOverlap(below(one.pattern), below(other.pattern)) !== [...one.names].some((name) => other.names.has(name)),
    ),
  );
  expect(patterns.length).toBeGreaterThan(50);
  expect(wrong).toEqual([]);
});

describe('patterns made to be slow', () => {
  let steps = 0;
  const counting = (one: string, other: string) => {
    steps += 1;
    return one === other;
  };
  beforeEach(() => {
    steps = 0;
  });

  test.each([
    [`${'*a'.repeat(49)}b`, `${'a*'.repeat(49)}c`, 2],
    [`${'*a'.repeat(49)}b`, `${'?'.repeat(99)}c`, 10_000],
    [`${'**/*a/'.repeat(16)}b*`, `${'**/a*/'.repeat(16)}c*`, 2],
    [`${'**/a*/'.repeat(16)}b`, `${'a/'.repeat(48)}c`, 10_000],
  ])('%s and %s are compared in few steps', (one, other, most) => {
    expect(patternsOverlap(below(one), below(other), { same: counting })).toBe(false);
    expect(steps).toBeGreaterThan(0);
    expect(steps).toBeLessThanOrEqual(most);
  });

  test('many of them against a file, and against each other, cost no more than their lengths say', () => {
    const eight = { folder: '/work', patterns: Array.from({ length: 8 }, () => `${'*a'.repeat(49)}b`) };
    const many = Array.from({ length: 16 }, () => eight);
    expect(many.some((each) => patternsHold(each, `/work/${'a'.repeat(1_000)}`, { same: counting }))).toBe(false);
    expect(steps).toBeLessThanOrEqual(16 * 8 * 100 * 1_000);
    steps = 0;
    const asked = { folder: '/work', patterns: Array.from({ length: 8 }, () => `${'*a'.repeat(49)}c`) };
    expect([...many, ...many].some((each) => patternsOverlap(asked, each, { same: counting }))).toBe(false);
    expect(steps).toBeLessThanOrEqual(32 * 64 * 2);
  });

  test('in another folder nothing of them is looked at', () => {
    expect(patternsOverlap(below('*a*a*a', '/work'), below('*a*a*b', '/other'), { same: counting })).toBe(false);
    expect(patternsHold(below('*a*a*b', '/work'), '/other/aaaaa', { same: counting })).toBe(false);
    expect(steps).toBe(0);
  });
});
