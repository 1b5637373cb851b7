import { expect, test } from 'vitest';
import { NoticeLimit } from './notice-limit.ts';

test('a chat is told once, and again when the interval is over', () => {
  let now = 0;
  const limit = new NoticeLimit({ clock: { now: () => now }, intervalMs: 100, chats: 10 });
  expect([limit.allows(1), limit.allows(1), limit.allows(2)]).toEqual([true, false, true]);
  now = 100;
  expect([limit.allows(1), limit.allows(1)]).toEqual([true, false]);
});

test('no more chats are told within an interval than the limit says', () => {
  let now = 0;
  const limit = new NoticeLimit({ clock: { now: () => now }, intervalMs: 100, chats: 2 });
  expect([1, 2, 3].map((chat) => limit.allows(chat))).toEqual([true, true, false]);
  now = 100;
  expect(limit.allows(3)).toBe(true);
});
