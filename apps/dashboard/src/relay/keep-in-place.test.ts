import { expect, test } from 'vitest';
import { keepInPlace } from './keep-in-place.ts';

test('what was answered stays while something beside it waits, and goes once nothing does', () => {
  const two = keepInPlace(new Set(), ['a', 'b']);
  expect(keepInPlace(two, ['b'])).toBe(two);
  expect([...keepInPlace(two, ['b', 'c'])]).toEqual(['a', 'b', 'c']);
  const none = keepInPlace(two, []);
  expect([...none]).toEqual([]);
  expect(keepInPlace(none, [])).toBe(none);
});
