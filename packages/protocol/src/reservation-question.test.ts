import { describe, expect, test } from 'vitest';
import { PatternSet } from './file-pattern.ts';
import { FileQuestion, writtenPattern } from './reservation-question.ts';

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

describe('a question whether files are held', () => {
  const MOST = 2_000_000;
  const held = (patterns: readonly string[], count: number) =>
    Array.from({ length: count }, () => new PatternSet({ folder: '/work', patterns }));
  const isHeld = (question: FileQuestion, sets: readonly PatternSet[], onLook = () => {}) =>
    sets.some((set) =>
      question.asked.some((asked) => {
        onLook();
        return question.mayBeHeldBy(set, asked);
      }),
    );
  const slow = Array(8).fill(`*${'a'.repeat(48)}*${'a'.repeat(47)}b`);

  test.each(['edit', 'execute'])(
    'that is made to be slow (%s) is over after so many comparisons, and what they did not suffice for counts as held',
    (kind) => {
      let compared = 0;
      const same = (one: string, other: string) => {
        compared += 1;
        return one === other;
      };
      const files = Array.from({ length: 32 }, (_, index) => `/work/${'a'.repeat(1_000)}${index}`);
      const question = new FileQuestion(kind, files, { same });
      expect([isHeld(question, held(slow, 256)), question.isDecided]).toEqual([true, false]);
      expect(compared).toBeGreaterThan(MOST / 4);
      expect(compared).toBeLessThanOrEqual(MOST);
    },
  );

  test('about as many files as may be named is over as well, also where they lie elsewhere', () => {
    let looked = 0;
    const question = new FileQuestion(
      'edit',
      Array.from({ length: 16_384 }, () => '/x'),
    );
    const count = () => {
      looked += 1;
    };
    expect([isHeld(question, held(slow, 256), count), question.isDecided]).toEqual([true, false]);
    expect(looked).toBeLessThanOrEqual(MOST);
  });

  test('as large changes have it is decided', () => {
    const files = Array.from({ length: 600 }, (_, index) => `/work/packages/server/src/part-${index}.ts`);
    const question = new FileQuestion('edit', files);
    expect([isHeld(question, held(['packages/client/', '**/*.sql'], 32)), question.isDecided]).toEqual([false, true]);
    expect([isHeld(question, held(['packages/**/part-599.ts'], 1)), question.isDecided]).toEqual([true, true]);
  });
});
