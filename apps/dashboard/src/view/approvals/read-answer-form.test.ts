import { expect, test } from 'vitest';
import { readAnswerForm } from './read-answer-form.ts';

const filled = (...entries: readonly (readonly [string, string])[]): FormData => {
  const data = new FormData();
  for (const [name, value] of entries) data.append(name, value);
  return data;
};
const colour = { id: 'q', text: 'Which?', choices: [{ value: 'Red', label: 'Red' }], allowsText: true };
const many = { ...colour, id: 'm', allowsSeveral: true };

test('a choice is the answer, unless there are words of their own; where several may be, both are', () => {
  const chosen = [
    ['q', 'Red'],
    ['m', 'Red'],
    ['m', 'Blue'],
  ] as const;
  expect(readAnswerForm(filled(...chosen), [colour, many])).toEqual({ answers: { q: ['Red'], m: ['Red', 'Blue'] } });
  const own = [
    ['q in own words', ' pink '],
    ['m in own words', 'grey'],
  ] as const;
  expect(readAnswerForm(filled(...chosen, ...own), [colour, many])).toEqual({ answers: { q: ['pink'], m: ['Red', 'Blue', 'grey'] } });
});

test('what was left empty is not said, and another input is JSON', () => {
  expect(readAnswerForm(filled(), [colour])).toEqual({ answers: {} });
  expect(readAnswerForm(filled(['updatedInput', '{"a":1}']), [])).toEqual({ updatedInput: { a: 1 } });
  expect(() => readAnswerForm(filled(['updatedInput', '{']), [])).toThrow(SyntaxError);
});
