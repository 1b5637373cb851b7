import type { RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { EncodedEvents, inChunks } from './encoded-events.ts';

const event = (seq: number, messageId: number): RelayEvent => ({ type: 'message.deleted', seq, at: 1, messageId });

test('the text of an event is its own, also where another one shared its place or its number', () => {
  const encoded = new EncodedEvents();
  const events = [event(1, 1), event(257, 2), event(1, 3), event(1, 1)];
  for (const each of [...events, ...events]) expect(encoded.encode(each)).toBe(JSON.stringify(each));
});

test('long texts are kept as well, in places of their own', () => {
  const encoded = new EncodedEvents();
  const long = (seq: number): RelayEvent => ({ type: 'task.released', seq, at: 1, task: { title: 'x'.repeat(40_000) } }) as RelayEvent; // only its length matters
  const [first, short, second] = [long(1), event(1, 1), long(17)];
  const text = encoded.encode(first);
  encoded.encode(short);
  expect(encoded.encode(first)).toBe(text);
  expect(encoded.encode(short)).toBe(JSON.stringify(short));
  expect([encoded.encode(second), encoded.encode(first)]).toEqual([JSON.stringify(second), text]);
});

test('chunks keep order, are never empty, and exceed the size only for a single piece', () => {
  const sizes = (items: readonly number[]) => [...inChunks(items, (item) => item, 10)];
  expect(sizes([1, 9, 1, 20, 3])).toEqual([[1, 9], [1], [20], [3]]);
  expect(sizes([])).toEqual([]);
});
