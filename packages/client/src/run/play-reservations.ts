import { MAX_LEASE_MS, type Reservation } from 'agent-relay-protocol';
import type { PlayedAct } from './difference.ts';
import type { Stage } from './stage.ts';

/** Reserves files for the agents of a run as they did, and gives them back when theirs were over. */
export class ReservationPlayer {
  readonly #stage: Stage;
  /** What each is here. */
  readonly #reservations = new Map<number, { readonly id: number; readonly recorded: Reservation }>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get count(): number {
    return this.#reservations.size;
  }

  async reserve(reservation: Reservation): Promise<void> {
    const { id, agentId, folder, patterns, enforced, note, createdAt } = reservation;
    await this.#stage.reach(createdAt);
    await this.#stage.arrive(createdAt, agentId);
    const { relay, call } = this.#stage;
    const files = { agentId, folder, patterns: [...patterns], enforced, leaseMs: MAX_LEASE_MS, ...(note === null ? {} : { note }) };
    const made = await this.#attempt(reservation, 'reserve', () => relay.reservations.create(files, call));
    if (!made) return;
    this.#reservations.set(id, { id: made.id, recorded: reservation });
    this.#stage.holds(agentId);
  }

  async giveBack(reservation: Reservation): Promise<void> {
    const here = this.#reservations.get(reservation.id);
    const endedAt = reservationOverAt(reservation);
    if (!here || endedAt === null) return;
    await this.#stage.reach(endedAt);
    const { agentId } = reservation;
    const { relay, call } = this.#stage;
    await this.#attempt(reservation, 'give_back', () => relay.reservations.release({ id: here.id, agentId }, call));
    this.#stage.letsGo(agentId);
  }

  async compare(): Promise<void> {
    const { relay, call, differences } = this.#stage;
    for (const [reservationId, { id, recorded: reservation }] of this.#reservations) {
      const { agentId, ended } = reservation;
      const { data } = await relay.reservations.list({ agent: agentId }, call);
      const recorded = ended === null ? 'held' : 'over';
      const replayed = data.some((held) => held.id === id) ? 'held' : 'over';
      if (recorded !== replayed) differences.push({ type: 'reservation', reservationId, agentId, recorded, replayed });
    }
  }

  #attempt<Answer>({ agentId, folder, patterns }: Reservation, act: PlayedAct, run: () => Promise<Answer>): Promise<Answer | null> {
    const subject = `${patterns.join(', ')} in ${folder}`;
    return this.#stage.attempt(run, (code, reason) => ({ type: 'act_refused', act, agentId, subject, code, reason }));
  }
}

/** When it kept nobody any more: a lease that had run out may have been ended later. Null while it is held. */
export const reservationOverAt = ({ endedAt, leaseExpiresAt }: Reservation): number | null =>
  endedAt === null ? null : Math.min(endedAt, leaseExpiresAt);
