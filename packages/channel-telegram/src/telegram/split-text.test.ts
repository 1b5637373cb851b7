import { expect, test } from 'vitest';
import { MAX_MESSAGE_LENGTH, splitText } from './split-text.ts';

test('a text that fits is one part, as it is', () => {
  expect(splitText('x'.repeat(MAX_MESSAGE_LENGTH))).toEqual(['x'.repeat(MAX_MESSAGE_LENGTH)]);
});

test('a paragraph border is taken before a line border that comes later', () => {
  expect(splitText(`${'a'.repeat(45)}\n\n${'b'.repeat(10)}\n${'c'.repeat(50)}`, 80)).toEqual([
    'a'.repeat(45),
    `${'b'.repeat(10)}\n${'c'.repeat(50)}`,
  ]);
});

test('a line border is taken before a word border, a word border before the middle of a word', () => {
  expect(splitText(`${'a'.repeat(40)}\n${'b '.repeat(20)}`, 70)).toEqual(['a'.repeat(40), 'b '.repeat(20)]);
  expect(splitText(`${'a'.repeat(40)} ${'b'.repeat(40)}`, 70)).toEqual(['a'.repeat(40), 'b'.repeat(40)]);
  expect(splitText('a'.repeat(100), 70)).toEqual(['a'.repeat(53), 'a'.repeat(47)]);
});

test('a surrogate pair is never cut', () => {
  for (const shift of ['', 'x']) {
    const text = shift + '🙂'.repeat(60);
    const parts = splitText(text, 70);
    expect(parts.join('')).toBe(text);
    for (const part of parts) expect(part).not.toMatch(/\p{Surrogate}/u);
  }
});

test('a code block that has to be cut is closed, and opened again in its language', () => {
  const code = Array.from({ length: 12 }, (_, index) => `  line ${index};`).join('\n');
  const parts = splitText(`Look:\n\`\`\`ts\n${code}\n\`\`\`\nDone.`, 100);
  expect(parts.length).toBeGreaterThan(1);
  for (const part of parts) {
    expect(part.length).toBeLessThanOrEqual(100);
    expect(part.match(/^```/gmu)?.length).toBe(2);
  }
  expect(parts.slice(1).every((part) => part.startsWith('```ts\n  line'))).toBe(true);
  expect(parts.join('\n').match(/line \d+;/gu)).toEqual(code.match(/line \d+;/gu));
});

test('a code block that fits into the next part is not cut', () => {
  const block = `\`\`\`\n${'code\n'.repeat(8)}\`\`\``;
  expect(splitText(`${'word '.repeat(12)}\n${block}\nend`, 100)).toEqual(['word '.repeat(12).trimEnd(), `${block}\nend`]);
});

test('fences inside a longer fence, and backticks within a line, open and close nothing', () => {
  const inner = '```\nnot the end\n```\n'.repeat(6);
  const parts = splitText(`\`\`\`\`md\n${inner}\`\`\`\``, 90);
  for (const part of parts) {
    expect(part.startsWith('````md\n')).toBe(true);
    expect(part.endsWith('\n````')).toBe(true);
  }
});

test('whatever the text, no part is longer than the limit or empty, and no letter is lost', () => {
  const pieces = ['word ', 'a longer-word ', '\n', '\n\n', '```\n', '```ts\n', '~~~\n', '🙂', 'x'.repeat(90), '````\n', '  ', 'é'];
  let state = 1;
  const next = (below: number): number => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  const letters = (text: string) => text.replace(/[^\p{L}\p{So}]/gu, '').replaceAll('ts', '');
  for (let round = 0; round < 500; round += 1) {
    const text = Array.from({ length: 40 }, () => pieces[next(pieces.length)]).join('');
    const parts = splitText(text, 120);
    expect(letters(parts.join(''))).toBe(letters(text));
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(120);
      expect(part.trim()).not.toBe('');
      expect(part).not.toMatch(/\p{Surrogate}/u);
    }
  }
});
