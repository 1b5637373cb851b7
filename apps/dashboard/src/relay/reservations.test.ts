import type { RelayEvent } from 'agent-relay-client';
import type { Reservation } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { reservationsView, sharedReservations } from './reservations.ts';

const reservation = (id: number, agentId: string, patterns: string[], more: Partial<Reservation> = {}): Reservation => ({
  ...{ id, agentId, folder: '/work', patterns, enforced: false, note: null, createdAt: id, leaseExpiresAt: 1_000 },
  ...{ ended: null, endedAt: null },
  ...more,
});
const told = (type: 'reservation.created' | 'reservation.ended', of: Reservation): RelayEvent => ({ type, seq: 1, at: 1, reservation: of });
const ids = (of: readonly Reservation[] | symbol | undefined) => (Array.isArray(of) ? of.map(({ id }: Reservation) => id) : of);

test('what is reserved is shown newest first, until it is given back; told twice it is there once', () => {
  const [one, two] = [reservation(1, 'Ann', ['a']), reservation(2, 'Ben', ['b'])];
  const both = reservationsView.apply([one], told('reservation.created', two));
  expect(ids(both)).toEqual([2, 1]);
  if (typeof both === 'symbol') throw new Error('it is a list');
  expect(ids(reservationsView.apply(both, told('reservation.created', two)))).toEqual([2, 1]);
  const ended = told('reservation.ended', { ...two, ended: 'released', endedAt: 3 });
  expect(ids(reservationsView.apply(both, ended))).toEqual([1]);
  expect(reservationsView.apply(both, { type: 'message.read', seq: 1, at: 1, messageId: 1, agentId: 'Ann' })).toBe(both);
});

test('whose patterns may mean one file are told of each other, an agent’s own are not', () => {
  const shared = sharedReservations([
    reservation(1, 'Ann', ['src/auth/']),
    reservation(2, 'Ben', ['**/*.ts']),
    reservation(3, 'Ann', ['src/auth/login.ts']),
    reservation(4, 'Cid', ['docs/*.md']),
    reservation(5, 'Dan', ['*.md'], { folder: '/work/docs' }),
  ]);
  expect([...shared].map(([id, others]) => [id, ids(others)])).toEqual([
    [1, [2]],
    [2, [1, 3]],
    [3, [2]],
    [4, [5]],
    [5, [4]],
  ]);
});
