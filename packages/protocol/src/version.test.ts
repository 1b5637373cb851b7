import { expect, test } from 'vitest';
import { MIN_SUPPORTED_PROTOCOL, PROTOCOL_VERSION, sharedProtocol } from './version.ts';

const range = (minProtocol: number, protocol: number) => ({ minProtocol, protocol });

test.each([
  [range(1, 1), range(1, 1), 1],
  [range(1, 2), range(1, 1), 1],
  [range(2, 3), range(1, 2), 2],
  [range(1, 5), range(2, 3), 3],
  [range(2, 2), range(1, 1), null],
  [range(3, 4), range(1, 2), null],
])('%j and %j speak %j', (one, other, shared) => {
  expect(sharedProtocol(one, other)).toBe(shared);
  expect(sharedProtocol(other, one)).toBe(shared);
});

test('the version before this one is still spoken', () => {
  expect(MIN_SUPPORTED_PROTOCOL).toBeLessThanOrEqual(Math.max(1, PROTOCOL_VERSION - 1));
});
