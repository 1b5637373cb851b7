import { expect, test } from 'vitest';
import { lastWords } from './last-words.ts';

test('what a process said long before it ended is not why it ended', () => {
  const stderrTail = 'a\nno licence\n';
  expect(lastWords({ stderrTail, stderrQuietMs: 100 })).toBe('a\nno licence');
  expect(lastWords({ stderrTail, stderrQuietMs: 420_000 })).toBe('');
  expect(lastWords({ stderrTail: '', stderrQuietMs: Number.POSITIVE_INFINITY })).toBe('');
});
