import { expect, test } from 'vitest';
import { formatMarkdown } from './format-markdown.ts';

test('plain text stays as it is, with what looks like Markdown and is none', () => {
  for (const text of ['Hello', '2 * 3 ** 4', 'a ` b', '``', '```\nnever closed', '**', '_x_ [a](b)', '2**3**4', 'x**y** z'])
    expect(formatMarkdown(text)).toEqual({ text });
});

test('code and bold lose their marks and keep their ranges, in UTF-16 units', () => {
  expect(formatMarkdown('🙂 run `npm test` **now**')).toEqual({
    text: '🙂 run npm test now',
    entities: [
      { type: 'code', offset: 7, length: 8 },
      { type: 'bold', offset: 16, length: 3 },
    ],
  });
});

test('a code block keeps what is in it, and names its language', () => {
  expect(formatMarkdown('So:\n```ts\nconst a = `x` ** 2;\n```\nand `b`.')).toEqual({
    text: 'So:\nconst a = `x` ** 2;\nand b.',
    entities: [
      { type: 'pre', offset: 4, length: 19, language: 'ts' },
      { type: 'code', offset: 28, length: 1 },
    ],
  });
});

test('code between several ticks may hold fewer', () => {
  expect(formatMarkdown('run ``echo `date` `` now')).toEqual({
    text: 'run echo `date`  now',
    entities: [{ type: 'code', offset: 4, length: 12 }],
  });
  expect(formatMarkdown('run `` `date` `` now')).toEqual({ text: 'run `date` now', entities: [{ type: 'code', offset: 4, length: 6 }] });
});

test('lines that end as on Windows are fences too', () => {
  expect(formatMarkdown('So:\r\n```ts\r\nx = 1\r\n```\r\ny')).toEqual({
    text: 'So:\nx = 1\ny',
    entities: [{ type: 'pre', offset: 4, length: 5, language: 'ts' }],
  });
});

test('a longer fence ends with one of its own length', () => {
  expect(formatMarkdown('````\n```\nx\n```\n````')).toEqual({ text: '```\nx\n```', entities: [{ type: 'pre', offset: 0, length: 9 }] });
});

test('text made to be slow is not', () => {
  const before = process.cpuUsage();
  for (const piece of ['```a\n', '`', '**a', '** ', '~~~~\n```\n', ' ', '` `` ', 'a`', '``x`'])
    formatMarkdown(piece.repeat(4096 / piece.length));
  // Of the processor, which others may be given meanwhile.
  const { user, system } = process.cpuUsage(before);
  expect(user + system).toBeLessThan(1_000_000);
});
