import { describe, expect, test } from 'vitest';
import { questionWords } from './question-words.ts';

test('an edited input that is none is a no, and does not have the original run', () => {
  const input = { command: 'npm publish' };
  const { inputAfter } = questionWords({ name: 'Bash', input });
  expect(inputAfter({})).toEqual(input);
  expect(inputAfter({ updatedInput: { command: 'npm test' } })).toEqual({ command: 'npm test' });
  for (const updatedInput of ['npm test', null, [], 0, false]) expect(inputAfter({ updatedInput })).toBeNull();
});

describe('questions with choices', () => {
  const options = [{ label: 'Red' }, { label: 'Blue' }];
  const words = (...questions: object[]) => questionWords({ name: 'AskUserQuestion', input: { questions } });

  test('without answers are a no', () => {
    const { inputAfter } = words({ question: 'Which?', options }, { question: 'And then?', options });
    for (const answers of [undefined, {}, { q1: [] }, { q3: ['Red'] }]) expect(inputAfter({ answers })).toBeNull();
    expect(inputAfter({ answers: { q1: ['Red'] } })).toMatchObject({ answers: { 'Which?': 'Red', 'And then?': '' } });
  });

  test('that have the same words keep both answers', () => {
    const { inputAfter } = words(
      { question: 'Which?', header: 'Front', options },
      { question: 'Which?', header: 'Back', options, multiSelect: true },
    );
    expect(inputAfter({ answers: { q1: ['Red'], q2: ['Red', 'Blue'] } })).toMatchObject({
      answers: { 'Which?': 'Front: Red; Back: Red, Blue' },
    });
  });
});
