import { type Agent, type Claim, type HeldClaim, type Principal, RelayError, type SessionGuard } from 'agent-relay-protocol';
import { actAs } from './act-as.ts';
import { isOfferedNow } from './audience.ts';
import type { Change } from './change.ts';
import { takeClaim } from './claim.ts';
import { claimEvent, expireClaim } from './claim-changes.ts';
import type { Directory } from './directory.ts';
import type { ClaimFacts, Decision } from './facts.ts';
import { mayReadIn, type ReadRights } from './readership.ts';
import { unknownAgent } from './unknown-agent.ts';

/** Somebody wants to take up the work that a message offers. */
export interface ClaimAttempt {
  readonly messageId: number;
  readonly claimant: string;
  readonly principal: Principal;
  readonly guard: SessionGuard;
  /** What the caller may read: of what it may not it is told only what concerns its own claim, and what is offered to the claimant. */
  readonly rights: (agents: Directory) => Pick<ReadRights, 'mayRead'>;
  /** Of the claim that comes of it. */
  readonly claimId: string;
  readonly leaseMs: number;
  readonly now: number;
}

export interface Taking {
  readonly claim: Claim;
  /** How long the work had waited; null for a claim that was there. */
  readonly waitedMs: number | null;
}

/** @throws RelayError `not_found`, `gone`, `forbidden_target`, `already_claimed`, and what `actAs` throws. */
export function planTaking(
  facts: ClaimFacts,
  { messageId: id, claimant, principal, guard, rights, claimId, leaseMs, now }: ClaimAttempt,
): Decision<Taking> {
  const { agents, message, kind, work, claim: current, participants } = facts;
  const entry = agents.find(claimant);
  const agent = actAs(agents, principal, claimant, guard);
  if (!entry || !agent) throw unknownAgent(claimant, agents.agents(), `${claimant} is not registered and cannot claim`);
  const isTheirs = message !== null && (current?.agentId === claimant || isOfferedNow(message, entry));
  if (!message || !(isTheirs || mayReadIn(rights(agents), message, participants)))
    throw new RelayError('not_found', `There is no message ${id}`);
  if (message.deletedAt !== null) throw new RelayError('gone', `Message ${id} was deleted`);
  // To whom it is not offered learns nothing of who has it.
  if (!isTheirs) throw notOffered(id, claimant);
  const taken = takeClaim(work, current, { claimId, kind, subjectId: id, agentId: claimant, epoch: agent.epoch, now, leaseMs });
  if (!taken.isNew) return { answer: { claim: taken.claim, waitedMs: null }, change: null };
  if (!isOfferedNow(message, entry)) throw notOffered(id, claimant);
  if (message.expiresAt !== null && message.expiresAt <= now && work?.fence === 0) {
    throw new RelayError('gone', `Message ${id} expired before anybody claimed it`);
  }
  const change = takingChange(taken.claim, current, taken.expired !== null, now);
  return { answer: { claim: taken.claim, waitedMs: now - message.createdAt }, change: withPresence(agent, change) };
}

const notOffered = (id: number, claimant: string): RelayError =>
  new RelayError('forbidden_target', `Message ${id} is not offered to ${claimant}`);

/** Who begins work is there, also one that had gone offline: what is held is given back when its holder goes, so it has to have come. */
function withPresence(agent: Agent, change: Change): Change {
  if (agent.status !== 'offline') return change;
  const { at, events = [] } = change;
  const back: Agent = { ...agent, status: 'online', lastSeenAt: at };
  return { ...change, events: [{ type: 'agent.status', at, agent: back }, ...events], agents: [{ id: agent.id, agent: back }] };
}

function takingChange(claim: HeldClaim, before: Claim | null, hasExpired: boolean, at: number): Change {
  const expiry: Partial<Change> = hasExpired && before?.status === 'held' ? expireClaim(before, at) : {};
  return {
    ...expiry,
    at,
    events: [...(expiry.events ?? []), claimEvent('message.claimed', claim, at)],
    claims: [...(expiry.claims ?? []), claim],
  };
}
