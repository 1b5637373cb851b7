import {
  isReservationHeld,
  keepingAmong,
  keptSentence,
  MAX_PAGE_SIZE,
  type Reservation,
  type ReservationQuestion,
} from 'agent-relay-protocol';
import type { Log } from 'agent-relay-wire';
import type { SessionLink } from './relay-side.ts';

interface KnownReservationsOptions {
  /** Who asks: its own keep it from nothing. */
  readonly agentId: string;
  readonly now: () => number;
  readonly log: Pick<Log, 'debug'>;
}

/** So old the copy may be before the relay is asked again, in ms. */
const FRESH_MS = 5_000;
/** The relay keeps a few hundred: what says that there are more pages is not followed for ever. */
const MOST_PAGES = 16;

/** What others have reserved, as the relay has said it last: it holds on while the relay cannot be asked, as long as its leases run. */
export class KnownReservations {
  readonly #options: KnownReservationsOptions;
  #known = new Map<number, Reservation>();
  #readAt = Number.NEGATIVE_INFINITY;
  #isReading = false;

  constructor(options: KnownReservationsOptions) {
    this.#options = options;
  }

  /** Reads them anew where what is known is not fresh. Never rejects: what was known stays. */
  async refresh({ calls }: { readonly calls: Pick<SessionLink['calls'], 'reservations'> }): Promise<void> {
    const { now, log } = this.#options;
    if (this.#isReading || now() - this.#readAt < FRESH_MS) return;
    this.#isReading = true;
    try {
      const read: Reservation[] = [];
      let before: number | undefined;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const { data, nextCursor } = await calls.reservations.list({ limit: MAX_PAGE_SIZE, ...(before !== undefined && { before }) });
        read.push(...data);
        if (nextCursor === undefined) break;
        before = nextCursor;
      }
      this.#known = new Map(read.map((each) => [each.id, each]));
      this.#readAt = now();
    } catch (error) {
      log.debug('what is reserved was not read', { error });
    } finally {
      this.#isReading = false;
    }
  }

  /** The relay has named it. */
  met(reservation: Reservation): void {
    this.#known.set(reservation.id, reservation);
  }

  /** Why the asked is not to be, as far as is known here; null where nothing keeps it. */
  against(asked: ReservationQuestion): string | null {
    const now = this.#options.now();
    const others = [...this.#known.values()].filter(
      (each) => each.enforced && each.agentId !== this.#options.agentId && isReservationHeld(each, now),
    );
    const keeping = answerOf(keepingAmong(others, asked));
    return keeping && `${keptSentence(keeping)}. The relay cannot be asked now: this is what it said last`;
  }
}

/** Nothing else waits meanwhile for longer than its steps take. */
function answerOf<Answer>(looking: Generator<void, Answer>): Answer {
  for (;;) {
    const step = looking.next();
    if (step.done) return step.value;
  }
}
