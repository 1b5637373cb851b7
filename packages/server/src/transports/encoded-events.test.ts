import type { RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { EncodedEvents, inChunks } from './encoded-events.ts';

const event = (seq: number, messageId: number): RelayEvent => ({ type: 'message.deleted', seq, at: 1, messageId });

test('the text of an event is its own, also where another one shared its place or its number', () => {
  const encoded = new EncodedEvents();
  const events = [event(1, 1), event(257, 2), event(1, 3), event(1, 1)];
  for (const each of [...events, ...events]) expect(encoded.encode(each)).toBe(JSON.stringify(each));
});

test('chunks keep order, are never empty, and exceed the size only for a single piece', () => {
  const sizes = (items: readonly number[]) => [...inChunks(items, (item) => item, 10)];
  expect(sizes([1, 9, 1, 20, 3])).toEqual([[1, 9], [1], [20], [3]]);
  expect(sizes([])).toEqual([]);
});
