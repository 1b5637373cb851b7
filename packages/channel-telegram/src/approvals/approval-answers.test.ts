import { expect, test } from 'vitest';
import { readReply } from './approval-answers.ts';

const asked = (several: boolean, values: readonly string[]) => ({ presses: {}, lines: [{ id: 'workers', values: [...values], several }] });

test.each([
  ['2', false, ['red', 'green'], ['green']],
  ['2', false, ['2', '4', '8'], ['2']],
  ['4', false, ['2', '4', '8'], ['4']],
  ['3', false, ['2', '4', '8'], ['8']],
  ['2, 1', true, ['2', '4', '8'], ['2', '2']],
  ['9', false, ['2', '4', '8'], ['9']],
] as const)('a number is one of the list, unless it is itself a choice: %s', (text, several, values, answer) => {
  expect(readReply(asked(several, values), text)).toEqual({ answers: { workers: answer } });
});
