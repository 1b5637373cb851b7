import type { Reservation } from 'agent-relay-protocol';
import { useEffect } from 'react';
import { useNow } from '../../live/use-connection.ts';
import { type List, useList } from '../../live/use-list.ts';
import { reservationsView } from '../../relay/reservations.ts';

/** What is reserved now; of one agent, or of all. Once a lease has run out, it is asked whether it was renewed. */
export function useReservations(agentId: string | null): List<Reservation> {
  const list = useList(reservationsView, (all) => (agentId === null ? all : all.filter((each) => each.agentId === agentId)));
  const now = useNow(5_000);
  const { all, readAgain } = list;
  const isPast = all.some(({ leaseExpiresAt }) => leaseExpiresAt <= now);
  useEffect(() => {
    // As often as the time moves on, for as long as one is past.
    if (isPast && now > 0) readAgain();
  }, [isPast, now, readAgain]);
  return list;
}
