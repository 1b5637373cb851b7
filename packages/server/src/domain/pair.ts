import { loosely, type OpenPair, type Pair, type PairEndCause, PairSchema, type PairStatus, RelayError } from 'agent-relay-protocol';
import { type RecordFacts, type Resource, recordKey } from './resource.ts';

export type EndedPair = Extract<Pair, { status: 'ended' }>;

export const isPairOpen = (pair: Pair): pair is OpenPair => pair.status === 'pending' || pair.status === 'active';

const storedPair = loosely(PairSchema);

/** A pair has the number of its invitation. */
export const pairResource: Resource<Pair> = {
  name: 'pairs',
  read: (stored) => storedPair.parse(stored),
  keys: ({ requester, target, status }) => [
    pairKey({ status }),
    ...[requester, target].flatMap((agent) => [pairKey({ agent }), pairKey({ agent, status })]),
  ],
  exclusive: (pair) => (isPairOpen(pair) ? [openKey(pair.requester), openKey(pair.target)] : []),
  isOpen: (pair) => isPairOpen(pair),
};

export const pairKey = ({ agent, status }: { readonly agent?: string | undefined; readonly status?: PairStatus | undefined }): string =>
  recordKey({ agent, status });

const openKey = (agentId: string): string => recordKey({ open: agentId });

/** The one open pair an agent is in. */
export const openPairOf = (records: RecordFacts, agentId: string): OpenPair | null =>
  records.under(pairResource, openKey(agentId)).find(isPairOpen) ?? null;

export const isSide = ({ requester, target }: Pair, agentId: string): boolean => agentId === requester || agentId === target;

/** Whom the other of a pair talks to. @throws RelayError `forbidden` when `agentId` is neither side. */
export function otherSide(pair: Pair, agentId: string): string {
  if (!isSide(pair, agentId)) throw new RelayError('forbidden', `${agentId} is not in pair ${pair.id}`);
  return agentId === pair.requester ? pair.target : pair.requester;
}

/** @throws RelayError `busy` naming who is paired with whom. */
export function assertFree(agentId: string, open: OpenPair | null): void {
  if (open === null) return;
  const partner = otherSide(open, agentId);
  const how = open.status === 'active' ? `is paired with ${partner}` : `has an open invitation with ${partner}`;
  throw new RelayError('busy', `${agentId} ${how} (pair ${open.id})`, {
    details: { agentId, with: partner, pairId: open.id, status: open.status },
  });
}

/** Answers an active pair unchanged. @throws RelayError `forbidden` when it is not the target that accepts, `pair_not_pending`. */
export function acceptPair(pair: Pair, agentId: string, now: number): Pair {
  assertIsTarget(pair, agentId, 'accept');
  if (pair.status === 'active') return pair;
  if (pair.status !== 'pending') throw notPending(pair);
  return { ...pair, status: 'active', acceptedAt: now };
}

/** Answers a rejected pair unchanged. @throws RelayError `forbidden` when it is not the target that declines, `pair_not_pending`. */
export function rejectPair(pair: Pair, agentId: string, reason: string | null, now: number): Pair {
  assertIsTarget(pair, agentId, 'decline');
  if (pair.status === 'rejected') return pair;
  if (pair.status !== 'pending') throw notPending(pair);
  return { ...pair, status: 'rejected', endedAt: now, reason };
}

/** @throws RelayError `forbidden` when `agentId` is neither side, `pair_not_active`. Answers the other side. */
export function assertMayTalk(pair: Pair, agentId: string): string {
  const partner = otherSide(pair, agentId);
  if (pair.status === 'active') return partner;
  const why = pair.status === 'pending' ? `${pair.target} has not accepted pair ${pair.id} yet` : `Pair ${pair.id} is ${pair.status}`;
  throw new RelayError('pair_not_active', why, { details: { pairId: pair.id, status: pair.status } });
}

export interface PairEnding {
  readonly by: string;
  readonly cause: PairEndCause;
  readonly reason: string | null;
}

export function endPair(pair: OpenPair, { by, cause, reason }: PairEnding, now: number): EndedPair {
  const acceptedAt = pair.status === 'active' ? pair.acceptedAt : null;
  return { ...pair, status: 'ended', acceptedAt, endedAt: now, endedBy: by, cause, reason };
}

function assertIsTarget(pair: Pair, agentId: string, deed: string): void {
  if (agentId !== pair.target) throw new RelayError('forbidden', `Only ${pair.target} may ${deed} pair ${pair.id}`);
}

const notPending = (pair: Pair): RelayError =>
  new RelayError('pair_not_pending', `Pair ${pair.id} is ${pair.status}, no longer an open invitation`, {
    details: { pairId: pair.id, status: pair.status },
  });
