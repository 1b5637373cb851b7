import type { Claim, HeldClaim, Message } from 'agent-relay-protocol';
import type { Change, NewEvent, WorkWrite } from './change.ts';
import { endClaim } from './claim.ts';
import { noticeTo } from './notices.ts';
import { type FollowFacts, leavingsOf, type Rule } from './rule.ts';

/** What a claimable message offers from its first day on, and tells of right behind it. */
export const workOffered = ({ id, createdAt }: Pick<Message, 'id' | 'createdAt'>, kind: Claim['kind']): NewEvent => ({
  type: 'work.available',
  at: createdAt,
  kind,
  subjectId: id,
  cause: 'opened',
});

export const workAvailable = (claim: Claim, cause: 'released' | 'expired', at: number): NewEvent => ({
  type: 'work.available',
  at,
  kind: claim.kind,
  subjectId: claim.subjectId,
  cause,
});

export type ClaimEventType = 'message.claimed' | `claim.${'renewed' | 'progressed' | 'completed' | 'released' | 'expired' | 'cancelled'}`;

export const claimEvent = (type: ClaimEventType, claim: Claim, at: number): NewEvent => ({
  type,
  at,
  claim,
  // A task has the id of the message that offers it.
  messageId: claim.subjectId,
});

/** Gives back what a session held: it has ended, or a newer one has taken over. */
export function releaseAll(held: readonly HeldClaim[], reason: string, now: number): Required<Pick<Change, 'claims' | 'events'>> {
  const claims = held.map((claim) => endClaim(claim, { status: 'released', reason }, now));
  const events = claims.flatMap((claim) => [claimEvent('claim.released', claim, now), workAvailable(claim, 'released', now)]);
  return { claims, events };
}

/** Takes work back from a holder whose lease ran out, offers it again and tells the holder to stop. */
export function expireClaim(held: HeldClaim, now: number): Change {
  const claim = endClaim(held, { status: 'expired' }, now);
  const body = `Your claim on ${claim.kind} ${claim.subjectId} has expired: stop working on it. Whoever claims it next does it; a result from you would be refused.`;
  const payload = { type: 'claim.expired', claimId: claim.claimId, fence: claim.fence };
  return {
    at: now,
    events: [claimEvent('claim.expired', claim, now), workAvailable(claim, 'expired', now)],
    claims: [claim],
    notices: [noticeTo({ to: claim.agentId, body, about: claim.subjectId, payload, at: now })],
  };
}

/** An agent that leaves gives back what it holds. */
export function givesClaimsBack(facts: FollowFacts, change: Change): Change {
  let next = change;
  for (const { id, reason } of leavingsOf(facts, change)) {
    const decided = new Set(next.claims?.map(({ claimId }) => claimId));
    const held = facts.heldBy(id).filter(({ claimId }) => !decided.has(claimId));
    if (held.length === 0) continue;
    const released = releaseAll(held, reason, change.at);
    next = {
      ...next,
      events: [...(next.events ?? []), ...released.events],
      claims: [...(next.claims ?? []), ...released.claims],
    };
  }
  return next;
}

/** A claim takes its work with it. */
export const movesWork: Rule = (_facts, change) =>
  change.claims === undefined ? change : { ...change, work: [...(change.work ?? []), ...change.claims.map(workUnder)] };

const workUnder = ({ kind, subjectId, claimId, fence, status }: Claim): WorkWrite => {
  const work = { kind, subjectId, claimId, fence };
  switch (status) {
    case 'held':
      return { ...work, status: 'held' };
    case 'released':
    case 'expired':
      return { ...work, status: 'open' };
    case 'completed':
      return { ...work, status: 'closed' };
    case 'cancelled':
      // The fence is passed over, so that a write under it is stale whatever it says.
      return { ...work, status: 'closed', fence: fence + 1 };
  }
};
