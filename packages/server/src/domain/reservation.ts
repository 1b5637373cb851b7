import {
  DEFAULT_LEASE_MS,
  FilePath,
  loosely,
  PatternSet,
  patternsHold,
  patternsOverlap,
  plainPath,
  RelayError,
  type Reservation,
  ReservationSchema,
  type RouteInput,
  type Same,
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

export const isHeld = ({ ended, leaseExpiresAt }: Reservation, now: number): boolean => ended === null && leaseExpiresAt > now;

/** So many steps one question may take: some tenths of a second, wherever it runs. What they do not suffice for counts as held. */
const MOST_STEPS = 2_000_000;

/** Those that hold this file. */
export function holdingFile(reservations: readonly Reservation[], file: string): readonly Reservation[] {
  const [path, steps] = [new FilePath(file), new Steps(MOST_STEPS)];
  return reservations.filter((each) => new PatternSet(each).holds(path, { steps }));
}

type Asked = FilePath | PatternSet;

/** What somebody asks to change: files, or what a command writes. */
export class FileQuestion {
  readonly asked: readonly Asked[];
  readonly #comparing: { readonly same?: Same; readonly steps: Steps };

  constructor(kind: string, files: readonly string[], { same }: { readonly same?: Same } = {}) {
    const written = (file: string) => new PatternSet({ folder: '/', patterns: [writtenPattern(file)] });
    this.asked = files.map((file) => (kind === 'execute' ? written(file) : new FilePath(file)));
    this.#comparing = { ...(same && { same }), steps: new Steps(MOST_STEPS) };
  }

  /** Whether what was found so far is so, and not only what may be. */
  get isDecided(): boolean {
    return !this.#comparing.steps.areSpent;
  }

  mayBeHeldBy(held: PatternSet, asked: Asked): boolean {
    return asked instanceof FilePath ? held.holds(asked, this.#comparing) : held.overlaps(asked, this.#comparing);
  }
}

/** No name has this character. */
const OTHER_FOLDERS = '\0';

/** What a command writes, as a pattern below `/` that means no less: `touchedFiles` says how that is named. */
export function writtenPattern(written: string): string {
  if (written === '/') return '**';
  const classless = replaceClosed(written.slice(1), ']', /\[[^\]]*\]/gu, () => '?');
  // Alternatives of alternatives: from the inside out.
  let [text, before] = [classless, ''];
  for (let depth = 0; depth < 4 && text !== before; depth += 1) {
    before = text;
    text = text.replaceAll(/\{[^{}]*\}/gu, (group) => (group.includes('/') || group.includes(OTHER_FOLDERS) ? OTHER_FOLDERS : '*'));
  }
  // Of some of them other folders are meant.
  const names = text.split('/').map((name) => (name.includes(OTHER_FOLDERS) ? '**' : name));
  return names.join('/');
}

/** What is not closed stays, and is looked through once. */
function replaceClosed(text: string, close: string, group: RegExp, to: () => string): string {
  const end = text.lastIndexOf(close) + 1;
  return text.slice(0, end).replaceAll(group, to) + text.slice(end);
}

/** What a machine's agent may not touch it does not keep others from either. @throws RelayError `forbidden` naming the folder that it works in. */
export function assertMayTouch({ agentId, mode, cwd }: Session, folder: string): void {
  if (mode === 'unrestricted') return;
  const issue = (message: string) => new RelayError('forbidden', `folder: ${message}`, { issues: [{ path: 'folder', message }] });
  if (mode === 'safe') throw issue(`${agentId} is in safe mode and changes no files: it reserves none`);
  if (cwd === null) throw issue(`It is not known yet where ${agentId} works`);
  if (!patternsHold({ folder: cwd, patterns: ['**'] }, folder)) throw issue(`${agentId} works in ${cwd}, and reserves files there`);
}

/** Who keeps somebody from files, and how that is known: `named` are held, `unnamed` may be, and `unclear` is what was too much to be compared. */
export interface Keeping {
  readonly holder: Reservation;
  readonly because: 'named' | 'unnamed' | 'unclear';
}

/** What whoever is kept from files is told. */
export function keptSentence({ holder: { agentId, patterns, folder, leaseExpiresAt }, because }: Keeping): string {
  const until = new Date(leaseExpiresAt).toISOString();
  const theirs = `${agentId} has reserved ${patterns.join(', ')} in ${folder} until ${until}`;
  switch (because) {
    case 'named':
      return `${agentId} has reserved these files until ${until}: ask it, or work on others`;
    case 'unnamed':
      return `${theirs}, and this does not tell which files it changes: name them, or ask it`;
    case 'unclear':
      return `${theirs}, and this names too much to be compared with that: name fewer files at once, or ask it`;
  }
}

/** Whether it may hold a file below this folder, or below whatever folder where that is not known. */
export const mayHoldBelow = (reservation: Reservation, cwd: string | undefined): boolean =>
  cwd === undefined || !cwd.startsWith('/') || patternsOverlap(reservation, { folder: plainPath(cwd), patterns: ['**'] });

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
  const over = open.filter((each) => each.agentId === agentId && !isHeld(each, now));
  assertRoom(open, { agentId, over, isUnlimited });
  const [own, steps] = [new PatternSet({ folder, patterns }), new Steps(MOST_STEPS)];
  const conflicts = open.filter((each) => each.agentId !== agentId && isHeld(each, now) && new PatternSet(each).overlaps(own, { steps }));
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
