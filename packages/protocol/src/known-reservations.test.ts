import { expect, test } from 'vitest';
import { KnownReservations } from './known-reservations.ts';
import type { Reservation } from './reservation.ts';

const reservation = (id: number, more: Partial<Reservation> = {}): Reservation => ({
  ...{ id, agentId: 'Ann', folder: '/w', patterns: ['src/'], enforced: true, note: null },
  ...{ createdAt: 0, leaseExpiresAt: 60_000, ended: null, endedAt: null },
  ...more,
});

function known(pages: readonly (readonly Reservation[] | Error)[]) {
  const clock = { now: 0, elapsedMs: 0 };
  const asked: unknown[] = [];
  const faults: unknown[] = [];
  const reservations = new KnownReservations({
    clock: { now: () => clock.now, elapsedMs: () => clock.elapsedMs },
    onFault: (error) => faults.push(error),
  });
  let onRead = () => {};
  const refresh = () =>
    reservations.refresh(async (request) => {
      asked.push(request);
      const page = pages[asked.length - 1] ?? [];
      onRead();
      if (page instanceof Error) throw page;
      return { data: page, ...(pages[asked.length] ? { nextCursor: asked.length } : {}) };
    });
  const against = (file: string) => reservations.against('me', { kind: 'edit', cwd: '/w', files: [file] });
  const whenRead = (then: () => void) => {
    onRead = then;
  };
  return { reservations, clock, refresh, against, asked, faults, whenRead };
}

const kept = expect.stringMatching(/^Ann has reserved these files until .*what it said last$/u);

test('what others have holds from the copy until its lease ends, and of one’s own or unenforced nothing does', async () => {
  const { clock, refresh, against, asked } = known([
    [reservation(3), reservation(2, { agentId: 'me', patterns: ['mine/'] })],
    [reservation(1, { enforced: false, patterns: ['free/'] })],
  ]);
  expect(against('/w/src/a.ts')).toBeNull();
  await refresh();
  expect(asked).toEqual([{ limit: 1000 }, { limit: 1000, before: 1 }]);
  expect(['/w/src/a.ts', '/w/mine/a.ts', '/w/free/a.ts', '/w/lib/a.ts'].map(against)).toEqual([kept, null, null, null]);
  clock.elapsedMs = 60_000;
  expect(against('/w/src/a.ts')).toBeNull();
});

test('a copy that is fresh is not read again, one that cannot be read stays, and what the relay names besides is known too', async () => {
  const { reservations, clock, refresh, against, asked } = known([[reservation(1)]]);
  await refresh();
  // Whoever sets the clock makes nothing older.
  clock.now = 90_000;
  await refresh();
  expect([asked.length, against('/w/src/a.ts')]).toEqual([1, kept]);
  clock.now = 5_000;
  clock.elapsedMs = 5_000;
  await refresh();
  expect([asked.length, against('/w/src/a.ts')]).toEqual([2, null]);
  reservations.met(reservation(2, { patterns: ['lib/'] }));
  expect(against('/w/lib/a.ts')).toEqual(kept);
  const failing = known([new Error('away')]);
  failing.reservations.met(reservation(1));
  await failing.refresh();
  expect([failing.against('/w/src/a.ts'), failing.faults]).toEqual([kept, [new Error('away')]]);
});

test('what is named while a read is on its way is known after it', async () => {
  const { reservations, refresh, against, whenRead } = known([[reservation(1)]]);
  whenRead(() => reservations.met(reservation(2, { patterns: ['lib/'] })));
  await refresh();
  expect(['/w/src/a.ts', '/w/lib/a.ts'].map(against)).toEqual([kept, kept]);
});

test.each([
  ['hours ahead', 9_000_000],
  ['hours behind', -9_000_000],
])('leases end by the relay’s clock where this machine’s is %s, as long after as it was told', async (_, now) => {
  const { reservations, clock, refresh, against } = known([[reservation(1)]]);
  clock.now = now;
  reservations.timeTold(30_000);
  await refresh();
  clock.elapsedMs = 29_999;
  expect(against('/w/src/a.ts')).toEqual(kept);
  clock.elapsedMs = 30_000;
  expect(against('/w/src/a.ts')).toBeNull();
});

test.each([
  ['ahead of what is held', 9_000_000],
  ['behind what was made', -9_000_000],
])('a machine whose clock is %s, and that was told no other time, holds them as long as they may last', async (_, now) => {
  const renewed = { createdAt: 10_000, leaseExpiresAt: 7_000_000 };
  const { clock, refresh, against } = known([[reservation(1, renewed)]]);
  clock.now = now;
  await refresh();
  clock.elapsedMs = 3_599_999;
  expect(against('/w/src/a.ts')).toEqual(kept);
  clock.elapsedMs = 3_600_000;
  expect(against('/w/src/a.ts')).toBeNull();
});
