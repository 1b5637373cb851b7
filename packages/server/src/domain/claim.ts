import { type Claim, type HeldClaim, MAX_HOLD_MS, RelayError } from 'agent-relay-protocol';

export interface WorkState {
  readonly status: 'open' | 'held' | 'closed';
  readonly fence: number;
}

export interface ClaimRequest {
  readonly claimId: string;
  readonly kind: Claim['kind'];
  readonly subjectId: number;
  readonly agentId: string;
  readonly epoch: number;
  readonly now: number;
  readonly leaseMs: number;
}

export interface ClaimTaken {
  readonly claim: HeldClaim;
  readonly isNew: boolean;
  /** A claim whose lease had run out and that nobody had ended yet. */
  readonly expired: Claim | null;
}

export const isLeaseOver = (claim: HeldClaim, now: number): boolean => claim.leaseExpiresAt <= now;

/**
 * Takes work, or answers the claimant's own claim unchanged.
 * @throws RelayError `not_claimable`, `claim_closed` when it is finished, `already_claimed` naming the holder.
 */
export function takeClaim(work: WorkState | null, current: Claim | null, request: ClaimRequest): ClaimTaken {
  const { claimId, kind, subjectId, agentId, epoch, now, leaseMs } = request;
  if (!work) throw new RelayError('not_claimable', `${subject(request)} is not claimable`);
  if (work.status === 'closed') throw new RelayError('claim_closed', `The work of ${subject(request)} is finished`);
  let expired: Claim | null = null;
  if (current?.status === 'held') {
    if (!isLeaseOver(current, now)) {
      if (current.agentId === agentId && current.epoch === epoch) return { claim: current, isNew: false, expired };
      throw new RelayError('already_claimed', `${current.agentId} holds ${subject(request)}`, {
        details: { agentId: current.agentId, claimId: current.claimId, leaseExpiresAt: current.leaseExpiresAt },
      });
    }
    expired = endClaim(current, { status: 'expired' }, now);
  }
  const claim: HeldClaim = {
    claimId,
    kind,
    subjectId,
    agentId,
    epoch,
    fence: work.fence + 1,
    claimedAt: now,
    progress: null,
    status: 'held',
    leaseExpiresAt: now + leaseMs,
  };
  return { claim, isNew: true, expired };
}

const subject = ({ kind, subjectId }: Pick<ClaimRequest, 'kind' | 'subjectId'>): string => `${kind} ${subjectId}`;

export interface ClaimWriter {
  readonly agentId: string;
  /** The writer's current epoch. */
  readonly epoch: number;
  /** Null when the caller sent none. */
  readonly fence: number | null;
  readonly now: number;
}

/**
 * The claim a write may act under.
 * @throws RelayError `stale_fence` when the work has moved on, the lease is over or the fence is another one; `claim_closed` when it was
 * completed or cancelled; `forbidden` when somebody else holds it.
 */
export function assertHolds(claim: Claim, work: WorkState | null, writer: ClaimWriter): HeldClaim {
  if (claim.agentId !== writer.agentId) throw new RelayError('forbidden', `Claim ${claim.claimId} belongs to ${claim.agentId}`);
  const details = { fence: work?.fence ?? claim.fence, status: claim.status };
  const stale = () => new RelayError('stale_fence', whyStale(claim, work, writer), { details });
  if (writer.fence !== null && writer.fence !== claim.fence) throw stale();
  if (claim.status === 'completed' || claim.status === 'cancelled') {
    throw new RelayError('claim_closed', `Claim ${claim.claimId} was ${claim.status}`);
  }
  if (claim.status !== 'held' || isLeaseOver(claim, writer.now) || work?.fence !== claim.fence || claim.epoch !== writer.epoch)
    throw stale();
  return claim;
}

function whyStale(claim: Claim, work: WorkState | null, { fence, now }: ClaimWriter): string {
  const { claimId } = claim;
  if ((fence !== null && fence !== claim.fence) || (work !== null && work.fence > claim.fence))
    return `The work under claim ${claimId} has moved on`;
  if (claim.status === 'released') return `Claim ${claimId} was given back${claim.reason === null ? '' : `: ${claim.reason}`}`;
  const isOver = claim.status === 'expired' || (claim.status === 'held' && isLeaseOver(claim, now));
  return isOver ? `The lease of claim ${claimId} has run out` : `Another session of ${claim.agentId} took claim ${claimId}`;
}

/** Extends a lease, never beyond the longest hold, and never shortens it. */
export function renewClaim(claim: HeldClaim, now: number, leaseMs: number): HeldClaim {
  const until = Math.min(now + leaseMs, claim.claimedAt + MAX_HOLD_MS);
  return until > claim.leaseExpiresAt ? { ...claim, leaseExpiresAt: until } : claim;
}

type Ending =
  | { readonly status: 'completed'; readonly result: Extract<Claim, { status: 'completed' }>['result'] }
  | { readonly status: 'released' | 'cancelled'; readonly reason: string | null }
  | { readonly status: 'expired' };

type Completed = Extract<Claim, { status: 'completed' }>;

export function completeClaim(claim: HeldClaim, result: Completed['result'], now: number): Completed {
  const { status: _held, leaseExpiresAt: _lease, ...rest } = claim;
  return { ...rest, status: 'completed', endedAt: now, result };
}

export function endClaim(claim: HeldClaim, ending: Ending, now: number): Claim {
  const { status: _held, leaseExpiresAt: _lease, ...rest } = claim;
  switch (ending.status) {
    case 'completed':
      return completeClaim(claim, ending.result, now);
    case 'released':
    case 'cancelled':
      return { ...rest, status: ending.status, endedAt: now, reason: ending.reason };
    case 'expired':
      return { ...rest, status: 'expired', endedAt: now };
  }
}

/** A completion or release that is said again under the same fence is answered with what it did. */
export const isRepeated = (claim: Claim, status: 'completed' | 'released', writer: ClaimWriter): boolean =>
  claim.status === status &&
  claim.agentId === writer.agentId &&
  (writer.fence === null ? claim.epoch === writer.epoch : writer.fence === claim.fence);
