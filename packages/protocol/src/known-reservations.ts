import { MAX_LEASE_MS, MAX_PAGE_SIZE } from './limits.ts';
import type { Reservation } from './reservation.ts';
import { isReservationHeld, keepingAmong, keptSentence, type ReservationQuestion } from './reservation-question.ts';

export interface KnownReservationsOptions {
  readonly clock: {
    /** This machine's time, Unix milliseconds. */
    now(): number;
    /** Milliseconds since whatever moment: what nobody sets, where there is such. */
    elapsedMs(): number;
  };
  /** What cannot be read stays as it was. */
  readonly onFault: (error: unknown) => void;
  /** What is known has changed, or may have. */
  readonly onChange?: () => void;
  /** Of an earlier one with the same `elapsedMs`. */
  readonly copy?: ReservationsCopy | undefined;
}

export interface ReservationsCopy {
  readonly reservations: readonly Reservation[];
  /** How far the relay's time is ahead of `elapsedMs`. */
  readonly aheadMs: number;
}

/** `reservations/list`, as whoever asks the relay calls it. */
export type ListReservations = (page: {
  readonly limit: number;
  readonly before?: number;
}) => Promise<{ readonly data: readonly Reservation[]; readonly nextCursor?: number | undefined }>;

/** So old the copy may be before the relay is asked again, in ms. */
const FRESH_MS = 5_000;
/** The relay keeps a few hundred: what says that there are more pages is not followed for ever. */
const MOST_PAGES = 16;

/** What is reserved, as the relay has said it last: it holds on while the relay cannot be asked, as long as its leases run by the relay's clock. */
export class KnownReservations {
  readonly #options: KnownReservationsOptions;
  #known: Map<number, Reservation>;
  #aheadMs: number;
  #isTimeTold: boolean;
  #readAt = Number.NEGATIVE_INFINITY;
  /** What was named since the read that is on its way began; null while none is. */
  #metMeanwhile: Reservation[] | null = null;

  constructor(options: KnownReservationsOptions) {
    const { clock, copy } = options;
    this.#options = options;
    this.#known = new Map(copy?.reservations.map((each) => [each.id, each]));
    this.#isTimeTold = copy !== undefined;
    this.#aheadMs = copy?.aheadMs ?? clock.now() - clock.elapsedMs();
  }

  get copy(): ReservationsCopy {
    return { reservations: [...this.#known.values()], aheadMs: this.#aheadMs };
  }

  /** The relay has said what its time is, Unix milliseconds. */
  timeTold(relayNow: number): void {
    this.#isTimeTold = true;
    this.#aheadMs = relayNow - this.#options.clock.elapsedMs();
  }

  /** Reads them anew where what is known is not fresh. Never rejects: what was known stays. */
  async refresh(list: ListReservations): Promise<void> {
    const { clock, onFault } = this.#options;
    const begunAt = clock.elapsedMs();
    if (this.#metMeanwhile !== null || begunAt - this.#readAt < FRESH_MS) return;
    const met: Reservation[] = [];
    this.#metMeanwhile = met;
    try {
      const read = await allPages(list);
      if (!this.#isTimeTold) this.#aheadMs = clock.now() - clock.elapsedMs();
      this.#fitTime(read, begunAt);
      this.#known = new Map([...read, ...met].map((each) => [each.id, each]));
      this.#readAt = begunAt;
      this.#options.onChange?.();
    } catch (error) {
      onFault(error);
    } finally {
      this.#metMeanwhile = null;
    }
  }

  /** The relay has named it. */
  met(reservation: Reservation): void {
    this.#known.set(reservation.id, reservation);
    this.#metMeanwhile?.push(reservation);
    this.#options.onChange?.();
  }

  /** Why that agent is not to do what it asks, as far as is known here; null where nothing keeps it. Its own reservations do not. */
  against(agentId: string, asked: ReservationQuestion): string | null {
    const now = this.#options.clock.elapsedMs() + this.#aheadMs;
    const others = [...this.#known.values()].filter((each) => each.enforced && each.agentId !== agentId && isReservationHeld(each, now));
    const keeping = answerOf(keepingAmong(others, asked));
    return keeping && `${keptSentence(keeping)}. The relay cannot be asked now: this is what it said last`;
  }

  /** A time at which none of these was made yet, or one was over before they were asked for, is not the relay's: then they hold as long as they may. */
  #fitTime(held: readonly Reservation[], begunAt: number): void {
    const made = Math.max(...held.map(({ createdAt }) => createdAt));
    const ends = held.map(({ leaseExpiresAt }) => leaseExpiresAt);
    const elapsedMs = this.#options.clock.elapsedMs();
    if (elapsedMs + this.#aheadMs >= made && begunAt + this.#aheadMs < Math.min(...ends)) return;
    this.#aheadMs = Math.max(made, Math.max(...ends) - MAX_LEASE_MS) - elapsedMs;
  }
}

async function allPages(list: ListReservations): Promise<readonly Reservation[]> {
  const read: Reservation[] = [];
  let before: number | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { data, nextCursor } = await list({ limit: MAX_PAGE_SIZE, ...(before !== undefined && { before }) });
    read.push(...data);
    if (nextCursor === undefined) break;
    before = nextCursor;
  }
  return read;
}

/** Nothing else waits meanwhile for longer than its steps take. */
function answerOf<Answer>(looking: Generator<void, Answer>): Answer {
  for (;;) {
    const step = looking.next();
    if (step.done) return step.value;
  }
}
