import { expect, test } from 'vitest';
import { digestOf, digestOfFields } from './content-digest.ts';

const first = { to: 'x', body: 'hello', meta: { a: 1, b: { c: [1, { d: 2, e: 3 }], f: null } } };

test.each([
  ['another spelling of the address', { ...first, to: 'id:x' }],
  ['another order of keys, also inside', { meta: { b: { f: null, c: [1, { e: 3, d: 2 }] }, a: 1 }, body: 'hello', to: 'x' }],
  ['what is left out, said', { ...first, kind: 'chat', mode: 'next' as const, claimable: false }],
  ['another wait, key and name of the sender', { ...first, waitFor: { state: 'seen' as const }, idempotencyKey: 'k', from: 'me' }],
])('%s makes no other message', (_what, same) => {
  expect(digestOf(same)).toBe(digestOf(first));
});

test.each([
  ['another body', { ...first, body: 'Hello' }],
  ['another address', { ...first, to: 'tag:x' }],
  ['another order of a list', { ...first, meta: { ...first.meta, b: { c: [{ d: 2, e: 3 }, 1], f: null } } }],
  ['another mode', { ...first, mode: 'now' as const }],
  ['another kind', { ...first, type: 'task' }],
])('%s makes another message', (_what, other) => {
  expect(digestOf(other)).not.toBe(digestOf(first));
});

test('what older programs call the type of a message is its kind', () => {
  expect(digestOf({ ...first, type: 'task' })).toBe(digestOf({ ...first, kind: 'task' }));
});

test('a digest is of the fields and not of where they stand', () => {
  expect(digestOfFields({ a: 1, b: { c: 2, d: 3 } })).toBe(digestOfFields({ b: { d: 3, c: 2 }, a: 1 }));
});
