import { expect, test } from 'vitest';
import { z } from 'zod';
import { RelayError, relayErrorFromBody, toRelayError } from './errors.ts';
import { parseInput, readLoosely } from './parse.ts';

const schema = z.strictObject({ name: z.string().min(1), tags: z.array(z.string()).optional() });

function refusal(input: unknown): RelayError {
  try {
    parseInput(schema, input);
  } catch (error) {
    if (error instanceof RelayError) return error;
    throw error;
  }
  throw new Error('the input was taken');
}

test('what fits is answered as parsed', () => {
  expect(parseInput(schema, { name: 'a' })).toEqual({ name: 'a' });
});

test.each([
  [{ name: 1 }, 'name'],
  [{ name: 'a', tags: ['x', 2] }, 'tags.1'],
  [{ name: 'a', tgas: [] }, 'tgas'],
  [null, ''],
])('%j is refused with the path of the wrong field', (input, path) => {
  const error = refusal(input);
  expect(error).toMatchObject({ code: 'validation_failed', httpStatus: 400 });
  expect(error.issues?.map((issue) => issue.path)).toEqual([path]);
});

const texts = z.strictObject({
  body: z.string().min(1).max(3),
  mode: z.enum(['next', 'now']).optional(),
  count: z.int().min(1).max(9).optional(),
  list: z.array(z.string()).min(2).max(3).optional(),
  own: z.string().min(1, 'Say what you own').optional(),
});

test.each([
  [{ body: '' }, 'body: must not be empty'],
  [{ body: 'abcd' }, 'body: must have at most 3 characters'],
  [{}, 'body: is missing'],
  [{ body: 5 }, 'body: must be a string'],
  [{ body: 'a', mode: 'later' }, 'mode: must be one of next, now'],
  [{ body: 'a', count: 0 }, 'count: must be at least 1'],
  [{ body: 'a', count: 10 }, 'count: must be at most 9'],
  [{ body: 'a', list: ['x'] }, 'list: must have at least 2 entries'],
  [{ body: 'a', own: '' }, 'own: Say what you own'],
])('%j is refused in words: %s', (input, words) => {
  expect(() => parseInput(texts, input)).toThrow(words);
});

test('what stands in the place of a text may have a length that is no number: it is named as what it is', () => {
  const length = { toString: 1, valueOf: null };
  expect(() => parseInput(texts, { body: { length } })).toThrow('body: must be a string');
  expect(() => parseInput(texts, { body: 'a', list: { length } })).toThrow('list: must be an array');
  expect(() => parseInput(z.string().max(3), { length })).toThrow(/must be a string/u);
  expect(readLoosely(z.string().max(3), { length })).toBe(undefined);
  expect(readLoosely(z.string().max(3), 'abc')).toBe('abc');
});

test('a field of any length is named in a sentence', () => {
  const error = refusal({ name: 'a', ['x'.repeat(5_000)]: 1 });
  expect(error.message).toMatch(/^x{200}…: This field/u);
  expect(error.issues?.[0]?.path).toHaveLength(201);
});

test('an error keeps its code, issues and details over the wire, and an unknown code becomes internal', () => {
  const sent = new RelayError('ambiguous_target', 'Which one?', {
    details: { candidates: ['a', 'b'] },
    issues: [{ path: 'to', message: 'two agents' }],
  });
  expect(relayErrorFromBody(JSON.parse(JSON.stringify(sent.toBody()))).toBody()).toEqual(sent.toBody());
  expect(relayErrorFromBody({ code: 'from_the_future', message: 'New.' })).toMatchObject({
    code: 'internal',
    message: 'New.',
    details: { unknownCode: 'from_the_future' },
  });
});

test('a bug leaves as internal and its own text stays behind', () => {
  const error = toRelayError(new TypeError('secret path /x'));
  expect(error).toMatchObject({ code: 'internal' });
  expect(JSON.stringify(error.toBody())).not.toContain('secret');
});
