import { KnownReservations, type Reservation } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { RelaySide, RelayState } from './relay-side.ts';
import { reservedAgainst } from './reserved-against.ts';

const held: Reservation = {
  ...{ id: 1, agentId: 'Ann', folder: '/w', patterns: ['src/'], enforced: true, note: null },
  ...{ createdAt: 0, leaseExpiresAt: 60_000, ended: null, endedAt: null },
};
const check = async () => ({ holder: held, reason: 'Ann has reserved these files' });
const link = { calls: { reservations: { check } } } as unknown as RelaySide['link']; // all that is called of it

/** What becomes of an edit while the session is still connecting, where that comes out so. */
async function editedBefore(state: RelayState) {
  const relay = {
    ...{ id: 'me', state: 'connecting' as RelayState, link: null as RelaySide['link'] },
    settled: async () => void Object.assign(relay, { state, link: state === 'connected' ? link : null }),
  };
  const reservations = new KnownReservations({ clock: { now: () => 0, elapsedMs: () => 0 }, onFault: () => {} });
  const edit = { name: 'Write', input: { file_path: '/w/src/a.ts' }, cwd: '/w' };
  return reservedAgainst(edit, { relay, reservations, signal: AbortSignal.timeout(1_000) });
}

test('an edit while the session is still connecting waits for what the relay says', async () => {
  expect(await editedBefore('connected')).toBe('Ann has reserved these files');
  expect(await editedBefore('away')).toBeNull();
});
