import type { Claim } from 'agent-relay-client';
import type { View } from '../live/view.ts';

/** One claim; how long its lease lasts is told when it is read, for renewals are not in the log. */
export const claimView = (id: string): View<Claim> => ({
  name: 'claim',
  id,
  route: 'claims/get',
  read: async (relay) => ({ data: await relay.claims.get({ id }), cursor: 0 }),
  apply: (claim, event) => ('claim' in event && event.claim.claimId === id ? event.claim : claim),
});
