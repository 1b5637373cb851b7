import { RelayError, routes } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { coercionsOf, mergeInput, readQuery } from './route-input.ts';

const schema = z.strictObject({
  text: z.string().nullable().optional(),
  count: z.int().min(0).optional(),
  flag: z.boolean().optional(),
  names: z.array(z.string()).max(3).nullable().optional(),
  ids: z.array(z.int()).optional(),
});
const read = (query: string) => ({ ...readQuery(new URLSearchParams(query), coercionsOf(schema)) });

test('a query becomes what the schema of each field expects', () => {
  expect(read('text=12&count=12&flag=1&names=a,b&names=c&ids=1,2')).toEqual({
    text: '12',
    count: 12,
    flag: true,
    names: ['a', 'b', 'c'],
    ids: [1, 2],
  });
});

test('what does not fit stays text, for the schema to name', () => {
  expect(read('count=1e3&flag=yes&ids=x&unknown=1&count2=')).toEqual({ count: '1e3', flag: 'yes', ids: ['x'], unknown: '1', count2: '' });
});

test('no name of a field reaches a prototype', () => {
  const merged = mergeInput(
    { pathParameters: {}, query: new URLSearchParams('__proto__=1'), body: JSON.parse('{"constructor":1}') },
    coercionsOf(schema),
  );
  expect([Object.getPrototypeOf(merged), Object.keys(merged).sort()]).toEqual([null, ['__proto__', 'constructor']]);
});

test('the same value twice is once, two values are a fault', () => {
  const coercions = coercionsOf(routes['messages/claim'].input);
  const merge = (id: number) => mergeInput({ pathParameters: { id: '7' }, query: new URLSearchParams(), body: { id } }, coercions);
  expect({ ...merge(7) }).toEqual({ id: 7 });
  expect(() => merge(8)).toThrow(RelayError);
});
