import { expect, test } from 'vitest';
import { ourId } from './our-id.ts';

test('an id that fits stays as it is, and a number becomes its text', () => {
  expect(['toolu_01', 'x'.repeat(120), 7].map(ourId)).toEqual(['toolu_01', 'x'.repeat(120), '7']);
});

test('one that does not fit is mapped to a short one: the same for the same, another for another', () => {
  const long = 'toolu_'.repeat(200);
  expect(ourId(long)).toMatch(/^long-[0-9a-f]{32}$/u);
  expect(ourId(long)).toBe(ourId(long));
  expect(new Set([long, `${long}x`, 'y'.repeat(121), ''].map(ourId)).size).toBe(4);
});
