import { randomUUID } from 'node:crypto';
import {
  type Claim,
  DEFAULT_PAGE_SIZE,
  type HeldClaim,
  type Message,
  type Principal,
  RelayError,
  type RouteInput,
  type SessionGuard,
  type WorkItem,
} from 'agent-relay-protocol';
import type { Clock } from '../clock.ts';
import { actingId } from '../domain/acting.ts';
import { isDirect } from '../domain/audience.ts';
import { assertHolds, type ClaimWriter, endClaim, isRepeated, renewClaim, takeClaim } from '../domain/claim.ts';
import type { Histogram } from '../domain/histogram.ts';
import type { AddressEntry } from '../store/agent-index.ts';
import type { Change } from '../store/change.ts';
import type { ClaimFound, Store } from '../store/store.ts';
import { actAs } from './act-as.ts';
import { claimEvent, expireClaim, workAvailable } from './claim-changes.ts';
import type { RelayHandlers } from './relay-contract.ts';
import type { RelaySettings } from './relay-settings.ts';

type ClaimRouteName =
  | 'messages/claim'
  | 'claims/get'
  | 'claims/renew'
  | 'claims/progress'
  | 'claims/release'
  | 'claims/complete'
  | 'work/list';
type WriteInput = Pick<RouteInput<'claims/renew'>, 'claimId' | 'fence' | 'agentId' | 'epoch' | 'instanceId'>;

export interface ClaimRoutesDeps {
  readonly store: Pick<Store, 'agents' | 'claims' | 'messages' | 'tasks' | 'log'>;
  readonly clock: Clock;
  readonly settings: Pick<RelaySettings, 'leaseMs'>;
  /** A lease has been given: somebody must look when it is over. */
  readonly leaseEndsAt: (at: number) => void;
  readonly waits: Histogram;
}

export function claimRoutes({ store, clock, settings, leaseEndsAt, waits }: ClaimRoutesDeps): Pick<RelayHandlers, ClaimRouteName> {
  const { index } = store.agents;

  /** Lets the claim's holder write under it, and nobody else. */
  const write = async (
    principal: Principal,
    input: WriteInput,
    decide: (found: ClaimFound, claim: Claim, writer: ClaimWriter) => { readonly claim: Claim; readonly change: Change | null },
  ): Promise<Claim> => {
    const { claimId, fence, agentId, epoch, instanceId } = input;
    const now = clock.now();
    const claim = await store.claims.change(principal.workspace, { claimId }, (found) => {
      if (!found.claim) throw new RelayError('not_found', `There is no claim ${claimId}`);
      // Whoever shows the fence has the claim; who does not must say who it is.
      const named = agentId ?? (fence === undefined || principal.type === 'agent' ? undefined : found.claim.agentId);
      const actor = actingId(principal, named, 'agentId');
      const agent = actAs(index, principal, actor, guardOf(epoch, instanceId));
      return decide(found, found.claim, { agentId: actor, epoch: agent?.epoch ?? 0, fence: fence ?? null, now });
    });
    if (claim.status === 'held') leaseEndsAt(claim.leaseExpiresAt);
    return claim;
  };

  return {
    'messages/claim': async ({ id, agentId, leaseMs = settings.leaseMs, epoch, instanceId }, { principal }) => {
      const { workspace } = principal;
      const claimant = actingId(principal, agentId, 'agentId');
      const now = clock.now();
      let waitedMs: number | null = null;
      const claim = await store.claims.change(workspace, { messageId: id }, ({ message, kind, work, claim: current }) => {
        const entry = index.find(workspace, claimant);
        const agent = actAs(index, principal, claimant, guardOf(epoch, instanceId));
        if (!message) throw new RelayError('not_found', `There is no message ${id}`);
        if (!entry || !agent) throw new RelayError('not_found', `${claimant} is not registered: register before you claim`);
        if (message.deletedAt !== null) throw new RelayError('gone', `Message ${id} was deleted`);
        const request = { claimId: randomUUID(), kind, subjectId: id, agentId: claimant, epoch: agent.epoch, now, leaseMs };
        const taken = takeClaim(work, current, request);
        waitedMs = taken.isNew ? now - message.createdAt : null;
        if (taken.isNew && !isOffered(message, entry))
          throw new RelayError('forbidden_target', `Message ${id} is not offered to ${claimant}`);
        if (taken.isNew && message.expiresAt !== null && message.expiresAt <= now && work?.fence === 0) {
          throw new RelayError('gone', `Message ${id} expired before anybody claimed it`);
        }
        return { claim: taken.claim, change: taken.isNew ? takingChange(taken.claim, current, taken.expired !== null, now) : null };
      });
      if (waitedMs !== null) waits.observe(waitedMs / 1000);
      if (claim.status === 'held') leaseEndsAt(claim.leaseExpiresAt);
      return claim;
    },
    'claims/get': async ({ claimId }, { principal }) => {
      const claim = await store.claims.get(principal.workspace, claimId);
      if (!claim) throw new RelayError('not_found', `There is no claim ${claimId}`);
      return claim;
    },
    'claims/renew': ({ leaseMs = settings.leaseMs, ...input }, { principal }) =>
      write(principal, input, ({ work }, claim, writer) => {
        const held = assertHolds(claim, work, writer);
        const renewed = renewClaim(held, writer.now, leaseMs);
        return renewed === held ? { claim: held, change: null } : written('claim.renewed', renewed, writer.now);
      }),
    'claims/progress': ({ progress, ...input }, { principal }) =>
      write(principal, input, ({ work }, claim, writer) =>
        written('claim.progressed', { ...assertHolds(claim, work, writer), progress }, writer.now),
      ),
    'claims/release': ({ reason = null, ...input }, { principal }) =>
      write(principal, input, ({ work }, claim, writer) => {
        if (isRepeated(claim, 'released', writer)) return { claim, change: null };
        const released = endClaim(assertHolds(claim, work, writer), { status: 'released', reason }, writer.now);
        return written('claim.released', released, writer.now, workAvailable(released, 'released', writer.now));
      }),
    'claims/complete': ({ result = null, ...input }, { principal }) =>
      write(principal, input, ({ work }, claim, writer) => {
        if (isRepeated(claim, 'completed', writer)) return { claim, change: null };
        return written(
          'claim.completed',
          endClaim(assertHolds(claim, work, writer), { status: 'completed', result }, writer.now),
          writer.now,
        );
      }),
    'work/list': async ({ for: agentId, held = false, limit = DEFAULT_PAGE_SIZE }, { principal }) => {
      const { workspace } = principal;
      const cursor = store.log.head;
      const entry = agentId === undefined ? null : (index.find(workspace, agentId) ?? undefined);
      if (entry === undefined) throw new RelayError('not_found', `No agent has the id ${agentId}`);
      const found = await store.claims.listWork(workspace, { addresses: entry && offeredAddresses(entry), held, limit });
      const details = await store.messages.detail(found);
      const tasks = await store.tasks.among(
        workspace,
        found.map(({ message }) => message.id),
      );
      const now = clock.now();
      const data = details
        .filter((message) => held || message.claim?.status !== 'held')
        .filter(
          (message) =>
            message.deletedAt === null && (message.claim?.status === 'held' || message.expiresAt === null || message.expiresAt > now),
        )
        .filter((message) => !entry || isOffered(message, entry))
        .map((message): WorkItem => {
          const offered = { message, claim: message.claim?.status === 'held' ? message.claim : null };
          const task = tasks.get(message.id);
          return task ? { kind: 'task', ...offered, task } : { kind: 'message', ...offered };
        });
      return { data, cursor };
    },
  };
}

function written(
  type: Parameters<typeof claimEvent>[0],
  claim: Claim,
  at: number,
  ...more: NonNullable<Change['events']>
): { claim: Claim; change: Change } {
  return { claim, change: { claims: [claim], events: [claimEvent(type, claim, at), ...more] } };
}

function takingChange(claim: HeldClaim, before: Claim | null, hasExpired: boolean, at: number): Change {
  const expiry = hasExpired && before?.status === 'held' ? expireClaim(before, at) : {};
  return {
    ...expiry,
    claims: [...(expiry.claims ?? []), claim],
    events: [...(expiry.events ?? []), claimEvent('message.claimed', claim, at)],
  };
}

/** Whether work is offered to an agent: by what it belongs to now, so that one that came later sees what is still open. */
function isOffered(message: Pick<Message, 'to' | 'channel'>, { agentId, intervals }: AddressEntry): boolean {
  if (isDirect(message.to)) return message.to === `id:${agentId}`;
  const belongs = (address: string) => intervals.get(address)?.at(-1)?.untilSeq === null;
  const follows = (channel: string) => belongs(`channel:${channel}`) || belongs('channel:*');
  const isMember = belongs(message.to) || (message.to.startsWith('channel:') && follows(message.to.slice(8)));
  return isMember && (message.channel === null || follows(message.channel));
}

/** Null asks for all: who follows every channel belongs to more addresses than can be named. */
function offeredAddresses({ agentId, intervals }: AddressEntry): readonly string[] | null {
  if (intervals.get('channel:*')?.at(-1)?.untilSeq === null) return null;
  return [`id:${agentId}`, ...intervals.keys()];
}

const guardOf = (epoch: number | undefined, instanceId: string | undefined): SessionGuard => ({
  ...(epoch === undefined ? {} : { epoch }),
  ...(instanceId === undefined ? {} : { instanceId }),
});
