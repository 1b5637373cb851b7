import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';
import { EventFilterSchema } from './relay-event.ts';

test.each([
  ['mesage', 'message'],
  ['message.nwe', 'message.new'],
  ['agnet', 'agent'],
  ['x', null],
  ['something else', null],
])('the nearest to %s is %s', (word, expected) => {
  expect(nearest(word, ['agent', 'message', 'message.new', 'task'])).toBe(expected);
});

test('a reader that asks for events that no event is called is refused with the name it will have meant', () => {
  const issuesOf = (types: unknown[]) =>
    EventFilterSchema.safeParse({ types }).error?.issues.map(({ path, message }) => [path.join('.'), message]);
  expect(issuesOf(['message', 'message.new', 'pair'])).toBeUndefined();
  expect(issuesOf(['message', 'mesage'])).toEqual([
    ['types.1', 'No event is called so; message is: name an event type, or a noun such as message'],
  ]);
  expect(issuesOf(['zzzzzz'])).toEqual([['types.0', 'No event is called so: name an event type, or a noun such as message']]);
  expect(issuesOf([{ toString: 1 }])).toEqual([['types.0', 'No event is called so: name an event type, or a noun such as message']]);
});
