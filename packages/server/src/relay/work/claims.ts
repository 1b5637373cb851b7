import { randomUUID } from 'node:crypto';
import { type Claim, OWNER_AGENT_ID, type Principal, RelayError, type RouteInput, type SessionGuard } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { actAs, isOwnAt } from '../../domain/act-as.ts';
import { actingId } from '../../domain/acting.ts';
import type { Change } from '../../domain/change.ts';
import { assertHolds, type ClaimWriter, completeClaim, endClaim, isRepeated, renewClaim } from '../../domain/claim.ts';
import { claimEvent, workAvailable } from '../../domain/claim-changes.ts';
import type { Directory } from '../../domain/directory.ts';
import type { ClaimFacts, Decision } from '../../domain/facts.ts';
import type { Histogram } from '../../domain/histogram.ts';
import { mayReadIn, type ReadRights } from '../../domain/readership.ts';
import { assertClaimScope, isOwner } from '../../domain/scopes.ts';
import { planTaking } from '../../domain/taking.ts';
import { completionChange, takenBackNotice } from '../../domain/work-results.ts';
import type { Store } from '../../store/store.ts';
import type { Readers } from '../access/readers.ts';
import { registered } from '../access/registered.ts';
import type { HandlersOf, RelayHandlers } from '../contract/relay-contract.ts';
import type { RelaySettings } from '../contract/relay-settings.ts';
import type { Inboxes } from '../mail/inboxes.ts';
import { workList } from './work-list.ts';

type WriteInput = Pick<RouteInput<'claims/renew'>, 'id' | 'fence' | 'agentId' | 'epoch' | 'instanceId'>;

export interface ClaimRoutesDeps {
  readonly store: Pick<Store, 'agents' | 'claims' | 'messages' | 'tasks' | 'log'>;
  readonly clock: Clock;
  readonly settings: Pick<RelaySettings, 'leaseMs'>;
  /** A lease has been given: somebody must look when it is over. */
  readonly leaseEndsAt: (at: number) => void;
  readonly waits: Histogram;
  readonly readers: Readers;
  readonly inboxes: Pick<Inboxes, 'settle'>;
}

export function claimHandlers(deps: ClaimRoutesDeps): HandlersOf<'claims' | 'work'> & Pick<RelayHandlers, 'messages/claim'> {
  const { settings } = deps;
  const write = writerOf(deps);
  return {
    'messages/claim': taking(deps),
    'claims/get': async ({ id }, { principal }) => {
      const claim = await readable(deps, principal, id);
      assertClaimScope(principal, claim.kind, 'read');
      return claim;
    },
    'claims/renew': ({ leaseMs = settings.leaseMs, ...input }, { principal }) =>
      write(principal, input, ({ work }, claim, writer) => {
        const held = assertHolds(claim, work, writer);
        const renewed = renewClaim(held, writer.now, leaseMs);
        return renewed === held ? { answer: held, change: null } : written('claim.renewed', renewed, writer.now);
      }),
    'claims/progress': ({ progress, ...input }, { principal }) =>
      write(principal, input, ({ work }, claim, writer) =>
        written('claim.progressed', { ...assertHolds(claim, work, writer), progress }, writer.now),
      ),
    'claims/release': ({ reason = null, ...input }, { principal }) =>
      write(principal, input, (facts, claim, writer) => {
        if (isRepeated(claim, 'released', writer)) return { answer: claim, change: null };
        if (mayTakeBack(facts, principal, claim, writer)) return takeBack(claim, writer, reason);
        const released = endClaim(assertHolds(claim, facts.work, writer), { status: 'released', reason }, writer.now);
        return written('claim.released', released, writer.now, workAvailable(released, 'released', writer.now));
      }),
    'claims/complete': ({ result = null, ...input }, { principal }) =>
      write(principal, input, ({ work, message, copy, agents }, claim, writer) => {
        if (isRepeated(claim, 'completed', writer)) return { answer: claim, change: null };
        const { now } = writer;
        const completed = completeClaim(assertHolds(claim, work, writer), result, now);
        const done = written('claim.completed', completed, now);
        if (!message) return done;
        const told = completionChange({ claim: completed, offer: message, copy, outcome: 'done', principal, now }, agents);
        return { answer: completed, change: { ...done.change, ...told, at: now } };
      }),
    'work/list': workList(deps),
  };
}

/** @throws RelayError `not_found`, also for a claim that is not the caller's to read. */
async function readable({ store, readers }: Pick<ClaimRoutesDeps, 'store' | 'readers'>, principal: Principal, id: string): Promise<Claim> {
  const claim = await store.claims.get(principal.workspace, id);
  if (claim && (await readers.mayReadClaim(principal, claim))) return claim;
  throw noClaim(id);
}

/** As `Readers.mayReadClaim`, by what a decision is shown. */
const mayReadClaim = ({ message, participants }: ClaimFacts, { agentId, subjectId }: Claim, rights: ReadRights): boolean =>
  rights.readsAs(agentId, subjectId) || (message !== null && mayReadIn(rights, message, participants));

type Decide = (facts: ClaimFacts, claim: Claim, writer: ClaimWriter) => Decision<Claim>;

/** Lets the claim's holder write under it, and nobody else. */
function writerOf({ store, clock, leaseEndsAt, inboxes, readers }: ClaimRoutesDeps) {
  return async (principal: Principal, input: WriteInput, decide: Decide): Promise<Claim> => {
    const { id: claimId, fence, agentId, epoch, instanceId } = input;
    const now = clock.now();
    const rights = (agents: Directory) => readers.rightsIn(agents, principal);
    // A long thread is looked at in turns before the write, which finds it known.
    await readable({ store, readers }, principal, claimId);
    const { answer: claim } = await store.claims.change(principal.workspace, { claimId }, (found) => {
      // A refusal names the holder: only to those who may know of it.
      if (!found.claim || !mayReadClaim(found, found.claim, rights(found.agents))) throw noClaim(claimId);
      assertClaimScope(principal, found.claim.kind, 'write');
      // Whoever shows the fence has the claim; who does not must say who it is.
      const named = agentId ?? (fence === undefined || principal.type === 'agent' ? undefined : found.claim.agentId);
      const actor = actingId(principal, named, 'agentId');
      const agent = actAs(found.agents, principal, actor, guardOf(epoch, instanceId));
      if (actor !== found.claim.agentId && actor !== found.message?.from) registered(found.agents, actor);
      return decide(found, found.claim, { agentId: actor, epoch: agent?.epoch ?? 0, fence: fence ?? null, now });
    });
    if (claim.status === 'held') leaseEndsAt(claim.leaseExpiresAt);
    if (claim.status === 'completed') inboxes.settle(principal.workspace, claim.agentId, [claim.subjectId]);
    return claim;
  };
}

function taking({ store, clock, settings, leaseEndsAt, waits, readers }: ClaimRoutesDeps): RelayHandlers['messages/claim'] {
  return async ({ id, agentId, leaseMs = settings.leaseMs, epoch, instanceId }, { principal }) => {
    const claimant = actingId(principal, agentId, 'agentId');
    const guard = guardOf(epoch, instanceId);
    const rights = (agents: Directory) => readers.rightsIn(agents, principal);
    // A long thread is looked at in turns before the write, which finds it known.
    await readers.find(principal, id);
    const asked = { messageId: id, claimant, principal, guard, rights, claimId: randomUUID(), leaseMs, now: clock.now() };
    const { answer } = await store.claims.change(principal.workspace, { messageId: id }, (facts) => planTaking(facts, asked));
    const { claim, waitedMs } = answer;
    if (waitedMs !== null) waits.observe(waitedMs / 1000);
    if (claim.status === 'held') leaseEndsAt(claim.leaseExpiresAt);
    return claim;
  };
}

/** Who offered work, and the owner, may take it back from whoever has it. */
function mayTakeBack({ message, agents }: ClaimFacts, principal: Principal, claim: Claim, { agentId }: ClaimWriter): boolean {
  if (agentId === claim.agentId) return false;
  if (isOwner(principal) && agentId === OWNER_AGENT_ID) return true;
  return agentId === message?.from && isOwnAt(agents, principal, agentId, message.id);
}

function takeBack(claim: Claim, { agentId, fence, now }: ClaimWriter, reason: string | null): Decision<Claim> {
  if (fence !== null && fence !== claim.fence) throw new RelayError('stale_fence', `Claim ${claim.claimId} has another fence`);
  if (claim.status === 'released' || claim.status === 'expired') return { answer: claim, change: null };
  if (claim.status !== 'held') throw new RelayError('claim_closed', `Claim ${claim.claimId} was ${claim.status}`);
  const released = endClaim(claim, { status: 'released', reason: reason ?? `${agentId} took it back` }, now);
  const { change } = written('claim.released', released, now, workAvailable(released, 'released', now));
  return { answer: released, change: { ...change, notices: [takenBackNotice(released, { by: agentId, reason, at: now })] } };
}

function written(
  type: Parameters<typeof claimEvent>[0],
  claim: Claim,
  at: number,
  ...more: NonNullable<Change['events']>
): { readonly answer: Claim; readonly change: Change } {
  return { answer: claim, change: { at, events: [claimEvent(type, claim, at), ...more], claims: [claim] } };
}

const guardOf = (epoch: number | undefined, instanceId: string | undefined): SessionGuard => ({
  ...(epoch === undefined ? {} : { epoch }),
  ...(instanceId === undefined ? {} : { instanceId }),
});

const noClaim = (id: string): RelayError => new RelayError('not_found', `There is no claim ${id}`);
