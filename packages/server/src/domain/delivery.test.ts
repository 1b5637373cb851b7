import { expect, test } from 'vitest';
import { advanceDelivery, type DeliveryRecord, deliveryStates, hasReached, isConfirmed, queuedRecord, recordAt } from './delivery.ts';

const in_ = (state: DeliveryRecord['state']): DeliveryRecord => ({ ...queuedRecord(0), state });
const follow = (from: DeliveryRecord['state'], to: DeliveryRecord['state']) => advanceDelivery(in_(from), { state: to }, 1)?.state ?? null;

/** From each state, in the order of `deliveryStates`, which ones may follow. */
const table = {
  queued: ['dispatched', 'delivered', 'seen', 'answered', 'failed', 'expired'],
  dispatched: ['delivered', 'seen', 'answered', 'failed'],
  delivered: ['seen', 'answered'],
  seen: ['answered'],
  answered: [],
  failed: ['delivered', 'seen', 'answered'],
  expired: ['delivered', 'seen', 'answered'],
} as const;

test('which state may follow which', () => {
  for (const from of deliveryStates) {
    expect([from, ...deliveryStates.filter((to) => follow(from, to) !== null)]).toEqual([from, ...table[from]]);
  }
});

test('what became of a confirmed message is written beside its state, once', () => {
  const seen = { ...in_('seen'), evidence: 'turn' } as const;
  const step = { state: 'seen', evidence: 'echo', reason: 'The process ended' } as const;
  const told = advanceDelivery(seen, step, 5);
  expect(told).toEqual({ ...seen, reason: 'The process ended', updatedAt: 5 });
  expect(told && advanceDelivery(told, { ...step, reason: 'Again' }, 6)).toBe(null);
  expect(advanceDelivery(seen, { ...step, state: 'delivered' }, 6)).toBe(null);
});

test('a step that follows a failure or an expiry is late, and stays late', () => {
  const late = advanceDelivery(in_('expired'), { state: 'delivered', evidence: 'echo' }, 1);
  expect(late).toMatchObject({ state: 'delivered', evidence: 'echo', late: true });
  expect(late && advanceDelivery(late, { state: 'seen', evidence: 'turn' }, 2)).toMatchObject({ state: 'seen', late: true });
  expect(advanceDelivery(in_('dispatched'), { state: 'delivered', evidence: 'ack' }, 1)).toMatchObject({ late: false });
});

test('the read mark is kept by every step', () => {
  expect(advanceDelivery({ ...in_('delivered'), readAt: 7 }, { state: 'seen' }, 9)).toMatchObject({ readAt: 7, updatedAt: 9 });
});

test('time runs out only for what nobody was handed', () => {
  const states = (handed: boolean, now: number) =>
    (['queued', 'dispatched', 'delivered'] as const).map((state) => recordAt(in_(state), 10, handed, now).state);
  expect(states(false, 9)).toEqual(['queued', 'dispatched', 'delivered']);
  expect(states(false, 10)).toEqual(['expired', 'dispatched', 'delivered']);
  expect(states(true, 10)).toEqual(['queued', 'dispatched', 'delivered']);
  expect(recordAt(in_('queued'), null, false, 10).state).toBe('queued');
});

test('how far a copy got', () => {
  expect(deliveryStates.filter((state) => hasReached(state, 'delivered'))).toEqual(['delivered', 'seen', 'answered']);
  expect(deliveryStates.filter((state) => hasReached(state, 'dispatched'))).toEqual(['dispatched', 'delivered', 'seen', 'answered']);
  expect(deliveryStates.filter(isConfirmed)).toEqual(['delivered', 'seen', 'answered']);
});
