import { expect, test } from 'vitest';
import { SendMessageSchema } from './message.ts';

const ids = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'] as const;
const isTaken = (fields: object) => SendMessageSchema.safeParse({ to: 'a', body: 'b', ...fields }).success;

test.each([
  [true, `00-${ids[0]}-${ids[1]}-01`],
  [true, `cc-${ids[0]}-${ids[1]}-00`],
  [false, `ff-${ids[0]}-${ids[1]}-01`],
  [false, `00-${'0'.repeat(32)}-${ids[1]}-01`],
  [false, `00-${ids[0]}-${'0'.repeat(16)}-01`],
  [false, `00-${ids[0].toUpperCase()}-${ids[1]}-01`],
  [false, `00-${ids[0]}-${ids[1]}`],
  [false, ''],
])('it is %s that %j is a traceparent', (expected, traceparent) => {
  expect(isTaken({ traceparent })).toBe(expected);
});

test.each([
  [true, { reply: true }],
  [true, { reply: true, withinMs: 60_000 }],
  [false, { reply: false }],
  [false, { withinMs: 60_000 }],
  [false, { reply: true, withinMs: 0 }],
  [false, { reply: true, remind: [1] }],
])('it is %s that %j can be expected', (expected, expects) => {
  expect(isTaken({ expects })).toBe(expected);
});
