import type { RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { Subscription } from './subscription.ts';

const rights = {
  seesTokens: false,
  seesApprovalsOf: () => false,
  mayWatch: () => true,
  readsAll: true,
  readsAs: () => true,
  mayRead: () => true,
  mayReadTask: () => true,
  mayReadHold: () => true,
  mayReadPair: () => true,
};
const event = (seq: number): RelayEvent => ({ type: 'agent.removed', seq, at: 0, agentId: 'a' });

test('a reader that leaves too much lying falls behind and keeps nothing', () => {
  const subscription = new Subscription('default', rights, 0);
  subscription.goLive();
  for (let seq = 1; seq <= 1_024; seq += 1) subscription.offer(event(seq), 20);
  expect(subscription.isLive).toBe(true);
  subscription.offer(event(1_025), 20);
  expect(subscription.isLive).toBe(false);
  expect(subscription.take()).toEqual([]);
  expect(subscription.cursor).toBe(0);
});

test('a reader that leaves a few large events lying falls behind as well', () => {
  const subscription = new Subscription('default', rights, 0);
  subscription.goLive();
  for (let seq = 1; seq <= 4; seq += 1) subscription.offer(event(seq), 512 * 1024);
  expect(subscription.take()).toHaveLength(4);
  for (let seq = 5; seq <= 9; seq += 1) subscription.offer(event(seq), 512 * 1024);
  expect([subscription.isLive, subscription.take(), subscription.cursor]).toEqual([false, [], 4]);
});

test('what the reader has already is not offered again', () => {
  const subscription = new Subscription('default', rights, 5);
  subscription.goLive();
  for (const seq of [4, 5, 6]) subscription.offer(event(seq), 20);
  expect(subscription.take()).toEqual([event(6)]);
  expect(subscription.cursor).toBe(6);
});

test('a wait ends at once when there is something to take, and when the reader is woken', async () => {
  const subscription = new Subscription('default', rights, 0);
  subscription.goLive();
  const woken = subscription.changed();
  subscription.wake();
  await woken;
  subscription.offer(event(1), 20);
  await subscription.changed();
  expect(subscription.take()).toHaveLength(1);
});

test('a reader that falls behind goes on from what it was not offered, not from what it was given last', () => {
  const subscription = new Subscription('default', rights, 0);
  subscription.goLive();
  subscription.offer(event(1_000), 3 * 1024 * 1024);
  expect([subscription.isLive, subscription.cursor]).toEqual([false, 999]);
  subscription.goLive();
  subscription.offer(event(2_000), 20);
  subscription.fallBehind(2_001);
  expect(subscription.cursor).toBe(1_999);
});
