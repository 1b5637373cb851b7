import { DEFAULT_LEASE_MS, loosely, RelayError, type Reservation, ReservationSchema, type RouteInput } from 'agent-relay-protocol';
import type { Decision } from './facts.ts';
import { patternsHold, patternsOverlap } from './file-pattern.ts';
import { type RecordFacts, type Resource, recordKey, recordWrite } from './resource.ts';

const stored = loosely(ReservationSchema);

export const reservationResource: Resource<Reservation> = {
  name: 'reservations',
  read: (record) => stored.parse(record),
  keys: ({ agentId: agent, ended }) => (ended === null ? [reservationKey({}), reservationKey({ agent })] : []),
  exclusive: () => [],
  isOpen: ({ ended }) => ended === null,
};

/** Under which those are found that were not ended. */
export const reservationKey = ({ agent }: { readonly agent?: string | undefined }): string => recordKey({ agent, active: 'true' });

/** Of one agent, and of all: each is compared with each. */
export const reservationLimits = { perAgent: 16, all: 256 } as const;

export const isHeld = ({ ended, leaseExpiresAt }: Reservation, now: number): boolean => ended === null && leaseExpiresAt > now;

export const holdsFile = (reservation: Reservation, file: string): boolean => patternsHold(reservation, file);

export interface NewReservation {
  readonly id: number;
  readonly agentId: string;
  readonly now: number;
  readonly records: RecordFacts;
}

/** @throws RelayError `already_claimed` naming the holder, where either side insists; `rate_limited` when there are too many. */
export function newReservation(
  { folder, patterns, enforced = false, leaseMs = DEFAULT_LEASE_MS, note }: RouteInput<'reservations/create'>,
  { id, agentId, now, records }: NewReservation,
): { readonly reservation: Reservation; readonly conflicts: readonly Reservation[] } {
  const held = records.under(reservationResource, reservationKey({})).filter((each) => isHeld(each, now));
  const own = held.filter((each) => each.agentId === agentId);
  if (own.length >= reservationLimits.perAgent || held.length >= reservationLimits.all)
    throw new RelayError(
      'rate_limited',
      `There are ${own.length} reservations of ${agentId} and ${held.length} in all: release some first`,
    );
  const conflicts = held.filter((each) => each.agentId !== agentId && patternsOverlap(each, { folder, patterns }));
  const [refusing] = enforced ? conflicts : conflicts.filter((each) => each.enforced);
  if (refusing) throw heldBy(refusing);
  const wanted = { folder, patterns: [...patterns], enforced, note: note ?? null };
  return { reservation: { id, agentId, ...wanted, createdAt: now, leaseExpiresAt: now + leaseMs, ended: null, endedAt: null }, conflicts };
}

function heldBy({ id, agentId, patterns, leaseExpiresAt }: Reservation): RelayError {
  const details = { agentId, claimId: String(id), leaseExpiresAt };
  return new RelayError(
    'already_claimed',
    `${agentId} has reserved ${patterns.join(', ')} until ${new Date(leaseExpiresAt).toISOString()}`,
    {
      details,
    },
  );
}

export function endReservation(reservation: Reservation, ended: NonNullable<Reservation['ended']>, now: number): Decision<Reservation> {
  const answer: Reservation = { ...reservation, ended, endedAt: now };
  const event = { type: 'reservation.ended' as const, at: now, reservation: answer };
  return { answer, change: { at: now, events: [event], records: [recordWrite(reservationResource, answer)] } };
}
