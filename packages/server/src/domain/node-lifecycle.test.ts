import { expect, test } from 'vitest';
import { freeName } from './node-lifecycle.ts';

test('a name that a machine has gets the first number that is free', () => {
  expect(freeName('laptop', [])).toBe('laptop');
  expect(freeName('laptop', ['laptop', 'laptop-2', 'laptop-4'])).toBe('laptop-3');
});

test('a name with a number is no longer than a name may be', () => {
  const longest = '😀'.repeat(128);
  expect([...freeName(longest, [longest])]).toHaveLength(128);
});
