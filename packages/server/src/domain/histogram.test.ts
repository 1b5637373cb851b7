import { expect, test } from 'vitest';
import { Histogram } from './histogram.ts';

test('a value counts at the first bound that is not below it, and above the last one only in the whole', () => {
  const histogram = new Histogram([1, 10]);
  for (const value of [0, 1, 1.5, 10, 11]) histogram.observe(value);
  expect(histogram).toEqual({ bounds: [1, 10], counts: [2, 2], count: 5, sum: 23.5 });
});
