import { expect, test } from 'vitest';
import { colouredDiff } from './coloured-diff.ts';
import { diffLinesOf } from './diff-lines.ts';
import { highlight } from './highlight.ts';

test('code is told line by line with what each word is, and nothing of it is lost', () => {
  const code = '/* one\n   two */\nconst a = `b`; // <b>&amp;</b>';
  const lines = highlight(code, 'src/a.TS');
  expect(lines?.map((pieces) => pieces.map(({ text }) => text).join('')).join('\n')).toBe(code);
  expect(lines?.slice(0, 2)).toEqual([[{ text: '/* one', look: 'text-code-comment' }], [{ text: '   two */', look: 'text-code-comment' }]]);
  expect(lines?.[2]).toContainEqual({ text: 'const', look: 'text-code-keyword' });
  expect(lines?.[2]).toContainEqual({ text: '`b`', look: 'text-code-string' });
});

test('what is in no known language, and what is very much, has no colours', () => {
  expect([highlight('a', ''), highlight('a', 'LICENCE'), highlight('a', 'x.constructor'), highlight(' '.repeat(50_001), 'ts')]).toEqual([
    null,
    null,
    null,
    null,
  ]);
  expect(highlight('all: build', 'Makefile')).not.toBeNull();
});

test('both sides of a diff are read as what they are: a comment that was closed before is no comment now', () => {
  const diff = '@@ -1,3 +1,3 @@\n /* a\n-b */\n+b\n c */\n+return 1';
  const coloured = colouredDiff(diffLinesOf(diff), highlight, 'a.js');
  expect(coloured).toEqual([
    null,
    [{ text: '/* a', look: 'text-code-comment' }],
    [{ text: 'b */', look: 'text-code-comment' }],
    [{ text: 'b', look: 'text-code-comment' }],
    [{ text: 'c */', look: 'text-code-comment' }],
    [
      { text: 'return', look: 'text-code-keyword' },
      { text: ' ', look: '' },
      { text: '1', look: 'text-code-number' },
    ],
  ]);
  expect(colouredDiff(diffLinesOf(diff), highlight, null).every((line) => line === null)).toBe(true);
});
