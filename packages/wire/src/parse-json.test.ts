import { expect, test } from 'vitest';
import { MAX_JSON_DEPTH, parseJson } from './parse-json.ts';

const nested = (depth: number, inner = '1'): string => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`;

test('what nests as deep as allowed is parsed, one level more is refused, and so is what would end a recursion', () => {
  expect(() => parseJson(nested(MAX_JSON_DEPTH))).not.toThrow();
  for (const depth of [MAX_JSON_DEPTH + 1, 1_562, 1_000_000]) expect(() => parseJson(nested(depth))).toThrow(SyntaxError);
  expect(() => parseJson(`${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`)).toThrow('nests deeper');
});

test('brackets in strings and beside each other are no depth', () => {
  const brackets = '[{'.repeat(1_000);
  expect(parseJson(JSON.stringify({ text: brackets }))).toEqual({ text: brackets });
  expect(parseJson(JSON.stringify([`\\${brackets}`, `"${brackets}`, `\\"${brackets}`]))).toHaveLength(3);
  const list = Array.from({ length: 2_000 }, (_, id) => ({ id, list: [[]] }));
  expect(parseJson(JSON.stringify(list))).toEqual(list);
});

test('a string that hides its end hides no depth, and what is no JSON is refused as such', () => {
  expect(() => parseJson(`["\\\\",${nested(MAX_JSON_DEPTH)}]`)).toThrow('nests deeper');
  expect(() => parseJson('["'.repeat(500))).toThrow(SyntaxError);
});
