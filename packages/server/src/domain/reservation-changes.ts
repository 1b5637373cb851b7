import { isReservationHeld } from 'agent-relay-protocol';
import type { Change } from './change.ts';
import { endReservations, reservationKey, reservationResource } from './reservation.ts';
import { type FollowFacts, type Leaving, leavingsOf } from './rule.ts';

/** What an agent that leaves has reserved is free again. */
export function endsReservations(facts: FollowFacts, change: Change): Change {
  let next = change;
  for (const leaving of leavingsOf(facts, change)) {
    if (wasAway(facts, leaving)) continue;
    const decided = new Set(next.records?.flatMap(({ resource, id }) => (resource === reservationResource.name ? [id] : [])));
    const held = facts.records.under(reservationResource, reservationKey({ agent: leaving.id })).filter(({ id }) => !decided.has(id));
    for (const each of held) {
      const { events, records } = endReservations([each], isReservationHeld(each, change.at) ? 'left' : 'expired', change.at).change;
      next = { ...next, events: [...(next.events ?? []), ...events], records: [...(next.records ?? []), ...records] };
    }
  }
  return next;
}

/** Somebody may reserve for an agent that is not there: what is written of it meanwhile ends nothing. */
const wasAway = (facts: FollowFacts, { id, cause }: Leaving): boolean =>
  cause === 'offline' && facts.agent(id)?.agent?.status === 'offline';
