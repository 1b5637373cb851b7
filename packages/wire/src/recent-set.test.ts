import { expect, test } from 'vitest';
import { RecentSet } from './recent-set.ts';

test('a value is known for as long as it is among the newest, and adding it again makes it new', () => {
  const recent = new RecentSet<string>(2);
  for (const value of ['a', 'b', 'a', 'c']) recent.add(value);
  expect(['a', 'b', 'c'].map((value) => recent.has(value))).toEqual([true, false, true]);
});

test('what is deleted makes room', () => {
  const recent = new RecentSet<string>(2);
  for (const value of ['a', 'b']) recent.add(value);
  expect([recent.delete('b'), recent.delete('b')]).toEqual([true, false]);
  recent.add('c');
  expect(['a', 'b', 'c'].map((value) => recent.has(value))).toEqual([true, false, true]);
});
