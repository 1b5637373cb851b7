import type { Reservation } from 'agent-relay-protocol';
import { silentLog } from 'agent-relay-wire';
import { expect, test } from 'vitest';
import { KnownReservations } from './known-reservations.ts';

const reservation = (id: number, more: Partial<Reservation> = {}): Reservation => ({
  ...{ id, agentId: 'Ann', folder: '/w', patterns: ['src/'], enforced: true, note: null },
  ...{ createdAt: 0, leaseExpiresAt: 60_000, ended: null, endedAt: null },
  ...more,
});

function known(pages: readonly (readonly Reservation[] | Error)[]) {
  const clock = { now: 0 };
  const reservations = new KnownReservations({ agentId: 'me', now: () => clock.now, log: silentLog });
  const asked: unknown[] = [];
  const list = async (request: object) => {
    asked.push(request);
    const page = pages[asked.length - 1] ?? [];
    if (page instanceof Error) throw page;
    return { data: page, cursor: 0, ...(pages[asked.length] ? { nextCursor: asked.length } : {}) };
  };
  const refresh = () => reservations.refresh({ calls: { reservations: { list } } as never }); // all that is called of them
  const against = (file: string) => reservations.against({ kind: 'edit', cwd: '/w', files: [file] });
  return { reservations, clock, refresh, against, asked };
}

test('what others have holds from the copy until its lease ends, and of one’s own or unenforced nothing does', async () => {
  const { clock, refresh, against, asked } = known([
    [reservation(3), reservation(2, { agentId: 'me', patterns: ['mine/'] })],
    [reservation(1, { enforced: false, patterns: ['free/'] })],
  ]);
  expect(against('/w/src/a.ts')).toBeNull();
  await refresh();
  expect(asked).toMatchObject([{}, { before: 1 }]);
  expect(['/w/src/a.ts', '/w/mine/a.ts', '/w/free/a.ts', '/w/lib/a.ts'].map(against)).toEqual([
    expect.stringMatching(/^Ann has reserved these files until .*what it said last$/u),
    ...[null, null, null],
  ]);
  clock.now = 60_000;
  expect(against('/w/src/a.ts')).toBeNull();
});

test('a copy that is fresh is not read again, one that cannot be read stays, and what the relay names besides is known too', async () => {
  const { reservations, clock, refresh, against, asked } = known([[reservation(1)]]);
  await refresh();
  await refresh();
  expect(asked).toHaveLength(1);
  clock.now = 5_000;
  await refresh();
  expect([asked.length, against('/w/src/a.ts')]).toEqual([2, null]);
  reservations.met(reservation(2, { patterns: ['lib/'] }));
  expect(against('/w/lib/a.ts')).toMatch(/^Ann has reserved/u);
  const failing = known([new Error('away')]);
  failing.reservations.met(reservation(1));
  await failing.refresh();
  expect(failing.against('/w/src/a.ts')).toMatch(/^Ann has reserved/u);
});
