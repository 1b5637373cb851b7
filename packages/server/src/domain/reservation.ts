import {
  DEFAULT_LEASE_MS,
  FilePath,
  isReservationHeld,
  loosely,
  MOST_RESERVATION_STEPS,
  PatternSet,
  patternsHold,
  RelayError,
  type Reservation,
  ReservationSchema,
  type RouteInput,
  type Session,
  Steps,
} from 'agent-relay-protocol';
import type { Decision } from './facts.ts';
import { type RecordFacts, type Resource, recordKey, recordWrite } from './resource.ts';

const stored = loosely(ReservationSchema);

export const reservationResource: Resource<Reservation> = {
  name: 'reservations',
  read: (record) => stored.parse(record),
  keys: ({ agentId: agent, ended }) => [{}, { agent }].map((whose) => reservationKey({ ...whose, isOver: ended !== null })),
  exclusive: () => [],
  isOpen: ({ ended }) => ended === null,
};

/** Under which those are found that were not ended, or those that were. */
export const reservationKey = ({ agent, isOver = false }: { readonly agent?: string | undefined; readonly isOver?: boolean }): string =>
  recordKey({ agent, active: String(!isOver) });

/** Of one agent, and of all: each is compared with each. */
export const reservationLimits = { perAgent: 16, all: 256 } as const;

/** Those that hold this file. */
export function holdingFile(reservations: readonly Reservation[], file: string): readonly Reservation[] {
  const [path, steps] = [new FilePath(file), new Steps(MOST_RESERVATION_STEPS)];
  return reservations.filter((each) => new PatternSet(each).holds(path, { steps }));
}

/** What a machine's agent may not touch it does not keep others from either. @throws RelayError `forbidden` naming the folder that it works in. */
export function assertMayTouch({ agentId, mode, cwd }: Session, folder: string): void {
  if (mode === 'unrestricted') return;
  const issue = (message: string) => new RelayError('forbidden', `folder: ${message}`, { issues: [{ path: 'folder', message }] });
  if (mode === 'safe') throw issue(`${agentId} is in safe mode and changes no files: it reserves none`);
  if (cwd === null) throw issue(`It is not known yet where ${agentId} works`);
  if (!patternsHold({ folder: cwd, patterns: ['**'] }, folder)) throw issue(`${agentId} works in ${cwd}, and reserves files there`);
}

export interface NewReservation {
  readonly id: number;
  readonly agentId: string;
  readonly now: number;
  readonly records: RecordFacts;
  /** The owner asks: as many for one agent as there may be in all. */
  readonly isUnlimited: boolean;
}

export interface ReservationMade {
  readonly reservation: Reservation;
  readonly conflicts: readonly Reservation[];
  /** What the agent had until its lease ended, and nobody has ended yet. */
  readonly over: readonly Reservation[];
}

/** @throws RelayError `already_claimed` naming the holder, where either side insists; `rate_limited` when there are too many. */
export function newReservation(
  { folder, patterns, enforced = false, leaseMs = DEFAULT_LEASE_MS, note }: RouteInput<'reservations/create'>,
  { id, agentId, now, records, isUnlimited }: NewReservation,
): ReservationMade {
  const open = records.under(reservationResource, reservationKey({}));
  const over = open.filter((each) => each.agentId === agentId && !isReservationHeld(each, now));
  assertRoom(open, { agentId, over, isUnlimited });
  const [own, steps] = [new PatternSet({ folder, patterns }), new Steps(MOST_RESERVATION_STEPS)];
  const conflicts = open.filter(
    (each) => each.agentId !== agentId && isReservationHeld(each, now) && new PatternSet(each).overlaps(own, { steps }),
  );
  const [refusing] = enforced ? conflicts : conflicts.filter((each) => each.enforced);
  if (refusing) throw heldBy(refusing);
  const wanted = { folder, patterns: [...patterns], enforced, note: note ?? null };
  const reservation = { id, agentId, ...wanted, createdAt: now, leaseExpiresAt: now + leaseMs, ended: null, endedAt: null };
  return { reservation, conflicts, over };
}

/** Those of others count until they are ended, so that no read meets more than there may be. */
function assertRoom(
  open: readonly Reservation[],
  { agentId, over, isUnlimited }: Pick<NewReservation, 'agentId' | 'isUnlimited'> & Pick<ReservationMade, 'over'>,
) {
  const [own, all] = [open.filter((each) => each.agentId === agentId).length - over.length, open.length - over.length];
  if ((isUnlimited || own < reservationLimits.perAgent) && all < reservationLimits.all) return;
  throw new RelayError('rate_limited', `There are ${own} reservations of ${agentId} and ${all} in all: release some first`);
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
  const { answers, change } = endReservations([reservation], ended, now);
  return { answer: answers[0] ?? reservation, change };
}

/** Ends all of them. */
export function endReservations(reservations: readonly Reservation[], ended: NonNullable<Reservation['ended']>, now: number) {
  const answers = reservations.map((each): Reservation => ({ ...each, ended, endedAt: now }));
  const events = answers.map((reservation) => ({ type: 'reservation.ended' as const, at: now, reservation }));
  return { answers, change: { at: now, events, records: answers.map((each) => recordWrite(reservationResource, each)) } };
}
