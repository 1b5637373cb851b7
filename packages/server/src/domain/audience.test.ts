import { expect, test } from 'vitest';
import { isInAudience } from './audience.ts';
import { addressesOf, changedMemberships, containsSequence } from './membership.ts';

test('an interval begins with its first sequence and ends before its last', () => {
  const intervals = [
    { fromSeq: 5, untilSeq: 8 },
    { fromSeq: 10, untilSeq: null },
  ];
  expect([4, 5, 7, 8, 9, 10, 99].filter((seq) => containsSequence(intervals, seq))).toEqual([5, 7, 10, 99]);
});

test('a direct address names one agent wholly', () => {
  const member = (agentId: string) => ({ agentId, intervals: new Map() });
  const message = { id: 1, from: 'x', to: 'id:ab', channel: 'quiet' };
  expect([isInAudience(message, member('ab')), isInAudience(message, member('b')), isInAudience(message, member('aab'))]).toEqual([
    true,
    false,
    false,
  ]);
});

test('built-in addresses belong to no group', () => {
  const card = { kind: 'provider' as const, label: 'x', tags: ['x'], capabilities: [], channels: null, machine: null };
  expect([...addressesOf({ ...card, id: 'owner' })]).toEqual([]);
  expect([...addressesOf({ ...card, id: 'a' })]).toEqual(['broadcast', 'label:x', 'tag:x', 'channel:*']);
});

test('an address that is kept is neither opened nor ended', () => {
  expect(changedMemberships(['a', 'b'], new Set(['b', 'c']))).toEqual({ opened: ['c'], ended: ['a'] });
});
