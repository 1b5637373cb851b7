import { expect, test } from 'vitest';
import { TimestampSchema } from './primitives.ts';

test('a time is one that a date can tell', () => {
  expect(new Date(TimestampSchema.parse(8_640_000_000_000_000)).toISOString()).toBe('+275760-09-13T00:00:00.000Z');
  expect(TimestampSchema.safeParse(8_640_000_000_000_001).success).toBe(false);
});
