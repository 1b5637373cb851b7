import { expect, test } from 'vitest';
import { asText, messageOf } from './as-text.ts';

const circle: { self?: unknown } = {};
circle.self = circle;

test.each([
  ['a word', 'a word'],
  [4, '4'],
  [null, 'null'],
  [undefined, 'undefined'],
  [{ toString: 1 }, '{"toString":1}'],
  [{ toString: null, valueOf: null }, '{"toString":null,"valueOf":null}'],
  [Object.create(null), '{}'],
  [new TypeError('No such thing'), 'TypeError: No such thing'],
  [10n, 'bigint'],
  [circle, 'object'],
  [Symbol('it'), 'symbol'],
])('%# any value has a text', (value, text) => {
  expect(asText(value)).toBe(text);
});

test('an error says its message, what else is thrown its text', () => {
  expect(messageOf(new TypeError('No such thing'))).toBe('No such thing');
  expect(messageOf('gone')).toBe('gone');
  expect(messageOf({ toString: 'mine' })).toBe('{"toString":"mine"}');
});
