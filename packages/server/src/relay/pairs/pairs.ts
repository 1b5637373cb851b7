import {
  type Agent,
  DEFAULT_PAGE_SIZE,
  MAX_PAGE_SIZE,
  type OpenPair,
  OWNER_AGENT_ID,
  type Pair,
  type PairStatus,
  PairStatusSchema,
  type Principal,
  principalName,
  RelayError,
  type RouteInput,
  type RouteOutput,
  type SessionGuard,
} from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { actAs } from '../../domain/act-as.ts';
import { actingId } from '../../domain/acting.ts';
import { readAddress } from '../../domain/address.ts';
import type { Change } from '../../domain/change.ts';
import type { Directory } from '../../domain/directory.ts';
import {
  acceptPair,
  assertFree,
  assertMayTalk,
  isPairOpen,
  isSide,
  openPairOf,
  otherSide,
  pairKey,
  pairResource,
  rejectPair,
} from '../../domain/pair.ts';
import { answerNotice, endPairChange, invitationOf } from '../../domain/pair-changes.ts';
import { resolvePairTarget } from '../../domain/pair-target.ts';
import { relationOf } from '../../domain/provenance.ts';
import type { ReadRights } from '../../domain/readership.ts';
import { recordWrite } from '../../domain/resource.ts';
import { agentOf, assertMayAddress } from '../../domain/scopes.ts';
import { keptCounts, keptPage } from '../../store/kept-page.ts';
import type { Store } from '../../store/store.ts';
import type { Readers } from '../access/readers.ts';
import { assertNothingOf, registered } from '../access/registered.ts';
import { listed } from '../contract/listed.ts';
import type { CallContext, HandlersOf } from '../contract/relay-contract.ts';
import type { LoopGuard } from '../guard/loop-guard.ts';
import type { Messages } from '../mail/messages.ts';

export interface PairsDeps {
  readonly store: Pick<Store, 'agents' | 'records' | 'messages'>;
  readonly clock: Clock;
  readonly messages: Messages;
  readonly guard: LoopGuard;
  readonly readers: Readers;
}

interface Answering {
  readonly principal: Principal;
  /** Who answers, where the caller says it. */
  readonly agentId: string | undefined;
  readonly guard: SessionGuard;
}

interface Acting {
  readonly principal: Principal;
  readonly by: string;
  readonly guard: SessionGuard;
  readonly rights: (agents: Directory) => Pick<ReadRights, 'mayReadPair'>;
}

/** Exclusive live chats of two agents. That both sides are free, or a pair still open, is decided in the write that says so. */
export class Pairs {
  readonly #deps: PairsDeps;
  readonly handlers: HandlersOf<'pairs'>;

  constructor(deps: PairsDeps) {
    this.#deps = deps;
    this.handlers = {
      'pairs/request': (input, context) => this.#request(input, context),
      'pairs/list': (input, context) => this.#list(input, context),
      'pairs/count': (input, context) => this.#count(input, context),
      'pairs/get': async ({ id }, { principal }) => {
        const pair = await deps.store.records.get(pairResource, principal.workspace, id);
        return found(pair && deps.readers.of(principal).mayReadPair(pair) ? pair : null, id);
      },
      'pairs/accept': (input, { principal }) => this.#accept(input, principal),
      'pairs/reject': (input, { principal }) => this.#reject(input, principal),
      'pairs/send': (input, context) => this.#send(input, context),
      'pairs/hangup': (input, { principal }) => this.#hangUp(input, principal),
    };
  }

  async #request({ from, target, objective, ...guard }: RouteInput<'pairs/request'>, { principal }: CallContext): Promise<Pair> {
    const { store, clock, guard: loops } = this.#deps;
    const { workspace } = principal;
    const requester = actingId(principal, from, 'from');
    const address = readAddress(target, 'target');
    const now = clock.now();
    return store.records.begin(workspace, ({ nextId: id, agents, records }) => {
      actAs(agents, principal, requester, guard);
      const agent = registered(agents, requester, `${requester} is not registered and cannot pair`);
      if (agent.status === 'offline') throw new RelayError('agent_offline', `${requester} is offline: a pair needs both sides`);
      const targetId = resolvePairTarget(address, requester, cardsOf(agents));
      assertMayAddress(principal, { to: `id:${targetId}` });
      for (const side of [requester, targetId]) assertFree(side, openPairOf(records, side));
      const pair: OpenPair = { id, requester, target: targetId, objective, requestedAt: now, status: 'pending' };
      const recipientSpawnedBy = agents.find(targetId)?.spawnedBy ?? null;
      const relation = relationOf({ principal, from: requester, kind: agent.kind, recipientSpawnedBy });
      const invitation = invitationOf(pair, { relation, principal: principalName(principal) });
      const breach = loops.check(workspace, invitation.draft);
      if (breach)
        throw new RelayError('rate_limited', `${breach.reason}: wait a minute before the next invitation`, {
          details: { retryAfterMs: 60_000 },
        });
      loops.count(workspace, invitation.draft);
      return {
        answer: pair,
        change: {
          at: now,
          sent: [invitation],
          events: [{ type: 'pair.requested', at: now, pair }],
          records: [recordWrite(pairResource, pair)],
        },
      };
    });
  }

  async #list({ agent, status, before, limit = DEFAULT_PAGE_SIZE }: RouteInput<'pairs/list'>, { principal }: CallContext) {
    const { workspace } = principal;
    const { store, readers } = this.#deps;
    const page = await keptPage({
      from: before ?? Number.MAX_SAFE_INTEGER,
      limit,
      read: (before) => store.records.list(pairResource, { workspace, under: pairKey({ agent, status }), before, limit }),
      positionOf: ({ id }) => id,
      keep: readers.of(principal).mayReadPair,
    });
    if (agent !== undefined && agent !== agentOf(principal) && before === undefined)
      assertNothingOf(store.agents.index.in(workspace), agent, page.items);
    return listed(page);
  }

  async #count({ agent, status }: RouteInput<'pairs/count'>, { principal }: CallContext) {
    const { workspace } = principal;
    const { records, agents } = this.#deps.store;
    const { mayReadPair, readsAll } = this.#deps.readers.of(principal);
    const counted = readsAll
      ? await this.#countAll(workspace, agent, status)
      : await keptCounts({
          read: (before) => records.list(pairResource, { workspace, under: pairKey({ agent, status }), before, limit: MAX_PAGE_SIZE }),
          keep: mayReadPair,
          none: noPairs,
        });
    if (agent !== undefined && agent !== agentOf(principal))
      assertNothingOf(
        agents.index.in(workspace),
        agent,
        Object.values(counted.counts).filter((count) => count > 0),
      );
    return counted;
  }

  async #countAll(workspace: string, agent: string | undefined, status: PairStatus | undefined) {
    const keyOf = (each: PairStatus) => pairKey({ agent, status: each });
    const asked = status === undefined ? PairStatusSchema.options : [status];
    const { counts, cursor } = await this.#deps.store.records.count(pairResource, workspace, asked.map(keyOf));
    const byStatus: Record<PairStatus, number> = { ...noPairs };
    for (const each of asked) byStatus[each] = counts.get(keyOf(each)) ?? 0;
    return { counts: byStatus, cursor };
  }

  async #accept({ id, agentId, ...guard }: RouteInput<'pairs/accept'>, principal: Principal): Promise<Pair> {
    return this.#answer(id, { principal, agentId, guard }, (pair, by, now) => acceptPair(pair, by, now));
  }

  async #reject({ id, agentId, reason, ...guard }: RouteInput<'pairs/reject'>, principal: Principal): Promise<Pair> {
    return this.#answer(id, { principal, agentId, guard }, (pair, by, now) => rejectPair(pair, by, reason ?? null, now));
  }

  async #answer(
    id: number,
    { principal, agentId, guard }: Answering,
    decide: (pair: Pair, by: string, now: number) => Pair,
  ): Promise<Pair> {
    const by = actingId(principal, agentId, 'agentId');
    const now = this.#deps.clock.now();
    const acting = this.#acting(principal, by, guard);
    return this.#deps.store.records.change(pairResource, principal.workspace, id, (current, { agents }) => {
      const pair = decide(pairOf(current, id, agents, acting), by, now);
      if (pair === current) return { answer: pair, change: null };
      if (pair.status === 'rejected') this.#countEnd(principal.workspace, pair);
      const type = pair.status === 'rejected' ? 'pair.rejected' : 'pair.accepted';
      const change: Change = {
        at: now,
        events: [{ type, at: now, pair }],
        records: [recordWrite(pairResource, pair)],
        notices: [answerNotice(pair, now)],
      };
      return { answer: pair, change };
    });
  }

  async #send(input: RouteInput<'pairs/send'>, context: CallContext): Promise<RouteOutput<'pairs/send'>> {
    const { store, messages } = this.#deps;
    const { id, from: named, body, mode, replyTo, idempotencyKey, ...guard } = input;
    const { principal } = context;
    const { workspace } = principal;
    const from = actingId(principal, named, 'from');
    const acting = this.#acting(principal, from, guard);
    const partner = otherSide(
      pairOf(await store.records.get(pairResource, workspace, id), id, store.agents.index.in(workspace), acting),
      from,
    );
    const answered = await store.messages.get(workspace, replyTo ?? id);
    if (replyTo !== undefined && answered?.message.threadId !== id) {
      const message = `Message ${replyTo} is not of pair ${id}`;
      throw new RelayError('validation_failed', `replyTo: ${message}`, { issues: [{ path: 'replyTo', message }] });
    }
    const request = {
      from,
      to: `id:${partner}`,
      body,
      meta: { pairId: id },
      // An invitation can be so old that it was pruned; the pair outlives it.
      ...(answered === null ? {} : { replyTo: answered.message.id }),
      ...(mode === undefined ? {} : { mode }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    };
    return messages.send(request, context, ({ agents, records }) => {
      assertMayTalk(pairOf(records.find(pairResource, id), id, agents, acting), from);
    });
  }

  #acting(principal: Principal, by: string, guard: SessionGuard): Acting {
    return { principal, by, guard, rights: (agents) => this.#deps.readers.rightsIn(agents, principal) };
  }

  /** Whoever ends it, the next invitation then follows something that was said: invitations are counted as an exchange of the two. */
  #countEnd(workspace: string, { id, requester, target }: Pair): void {
    const sender = { relation: 'peer', principal: `agent:${target}` } as const;
    this.#deps.guard.count(workspace, { from: target, to: `id:${requester}`, body: `pair ${id} is over`, sender, hops: 0, threadId: id });
  }

  async #hangUp({ id, agentId, reason, ...guard }: RouteInput<'pairs/hangup'>, principal: Principal): Promise<Pair> {
    const by = actingId(principal, agentId, 'agentId');
    const now = this.#deps.clock.now();
    const acting = this.#acting(principal, by, guard);
    return this.#deps.store.records.change<Pair, Pair>(pairResource, principal.workspace, id, (current, { agents }) => {
      const pair = pairOf(current, id, agents, acting);
      // Only the owner's own callers act as the owner.
      if (by !== OWNER_AGENT_ID && !isSide(pair, by)) throw new RelayError('forbidden', `${by} is not in pair ${id}`);
      if (isPairOpen(pair)) this.#countEnd(principal.workspace, pair);
      return isPairOpen(pair) ? endPairChange(pair, { by, cause: 'hung_up', reason: reason ?? null }, now) : { answer: pair, change: null };
    });
  }
}

const noPairs: Readonly<Record<PairStatus, number>> = { pending: 0, active: 0, rejected: 0, ended: 0 };

const cardsOf = (agents: Directory): readonly Agent[] => [...agents.agents()].flatMap(({ agent }) => agent ?? []);

/** The pair that somebody acts on. @throws RelayError `not_found`, also for one that is not theirs, and for an agent that nobody has registered. */
function pairOf(current: Pair | null, id: number, agents: Directory, { principal, by, guard, rights }: Acting): Pair {
  actAs(agents, principal, by, guard);
  const pair = found(current && rights(agents).mayReadPair(current) ? current : null, id);
  if (!isSide(pair, by)) registered(agents, by);
  return pair;
}

function found(pair: Pair | null, id: number): Pair {
  if (pair === null) throw new RelayError('not_found', `There is no pair ${id}`);
  return pair;
}
