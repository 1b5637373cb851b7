import { describe, expect, it } from 'vitest';
import { RecentMap } from './recent-map.ts';

describe('a recent map', () => {
  it('forgets what was set longest ago, and counts a key that is set again as new', () => {
    const map = new RecentMap<string, number>(2, [
      ['a', 1],
      ['b', 2],
    ]);
    map.get('a');
    map.set('a', 3);
    map.set('c', 4);
    expect([[...map], [...map.keys()], map.size, map.has('b')]).toEqual([
      [
        ['a', 3],
        ['c', 4],
      ],
      ['a', 'c'],
      2,
      false,
    ]);
  });

  it('does not make room for a key that it has', () => {
    const map = new RecentMap<string, number>(2);
    for (const key of ['a', 'b', 'b']) map.set(key, 1);
    expect([...map.keys()]).toEqual(['a', 'b']);
  });

  it('takes no more than its limit of what it begins with', () => {
    expect([...new RecentMap(1, new Map([...'ab'].map((key) => [key, 1]))).keys()]).toEqual(['b']);
  });
});

it('a limit of nothing is a mistake', () => {
  expect(() => new RecentMap(0)).toThrow(RangeError);
  expect(() => new RecentMap(Number.NaN)).toThrow(RangeError);
});
