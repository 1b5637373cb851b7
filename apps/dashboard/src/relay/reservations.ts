import { MAX_PAGE_SIZE, PatternSet, type Reservation, Steps } from 'agent-relay-protocol';
import type { ListView } from '../live/view.ts';
import { byId } from './collect.ts';
import { listUpTo } from './list-up-to.ts';

/** Files that agents have for themselves now, newest first. A lease that is renewed is told when it is read. */
export const reservationsView: ListView<Reservation> = {
  name: 'reservations',
  route: 'reservations/list',
  read: (relay) => listUpTo(MAX_PAGE_SIZE, relay.reservations.list, {}),
  apply: (reservations, event) => {
    if (!('reservation' in event)) return reservations;
    const others = reservations.filter(({ id }) => id !== event.reservation.id);
    return event.reservation.ended === null ? [...others, event.reservation].sort((one, other) => byId(other) - byId(one)) : others;
  },
};

/** As much as is compared before what is left counts as shared. */
const MOST_STEPS = 500_000;

/** By number: what other agents have of the same files. */
export function sharedReservations(reservations: readonly Reservation[]): ReadonlyMap<number, readonly Reservation[]> {
  const steps = new Steps(MOST_STEPS);
  const held = reservations.map((reservation) => ({ reservation, files: new PatternSet(reservation) }));
  const shared = new Map<number, Reservation[]>(reservations.map(({ id }) => [id, []]));
  for (const [place, one] of held.entries())
    for (const other of held.slice(place + 1)) {
      if (one.reservation.agentId === other.reservation.agentId || !one.files.overlaps(other.files, { steps })) continue;
      shared.get(one.reservation.id)?.push(other.reservation);
      shared.get(other.reservation.id)?.push(one.reservation);
    }
  return shared;
}
