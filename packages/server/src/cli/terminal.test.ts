import { expect, test } from 'vitest';
import { dayAndTime, oneLine, printable, table } from './terminal.ts';

test('what an agent wrote cannot steer the terminal that shows it', () => {
  expect(printable('a\u001b[2Jb\u0007\r\nc\td\u202ee\u009b')).toBe('a\ufffd[2Jb\ufffd\nc\td\ufffde\ufffd');
});

test('a line is one line, cut with a mark', () => {
  expect([oneLine(' a\n\n b '), oneLine('x'.repeat(300), 10)]).toEqual(['a b', 'xxxxxxxxx…']);
});

test('columns are as wide as they must be', () => {
  expect(
    table([
      ['ID', 'STATUS'],
      ['Worker', 'idle'],
    ]),
  ).toEqual(['ID      STATUS', 'Worker  idle']);
});

test('a moment is told as the clock of whoever reads it has it', () => {
  expect(dayAndTime(new Date(2026, 0, 31, 23, 5, 7).getTime())).toBe('2026-01-31 23:05:07');
});
