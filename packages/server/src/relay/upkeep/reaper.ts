import { messageOf, RelayError } from 'agent-relay-protocol';
import { Serial } from 'agent-relay-wire';
import { Alarm } from '../../alarm.ts';
import type { Clock } from '../../clock.ts';
import { expireClaim } from '../../domain/claim-changes.ts';
import { heardOf, isPrunable, isStale } from '../../domain/presence.ts';
import { isWoken } from '../../domain/wake.ts';
import type { Logger } from '../../logger.ts';
import type { Store } from '../../store/store.ts';
import type { AgentRegistry } from '../agents/agents.ts';
import type { Presence } from '../agents/presence.ts';
import type { RelaySettings } from '../contract/relay-settings.ts';
import type { Inboxes } from '../mail/inboxes.ts';
import { endMail } from './end-mail.ts';
import { Pruner } from './pruner.ts';
import { Stalls } from './stalls.ts';

const BATCH = 200;

export interface ReaperDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: RelaySettings;
  readonly agents: AgentRegistry;
  readonly inboxes: Inboxes;
  readonly presence: Pick<Presence, 'heardAt' | 'noteOpen' | 'sweep' | 'timeMoved'>;
  /** What else is to be swept, after the agents have been judged. */
  readonly sweepMore: (now: number) => Promise<void>;
}

/** Ends what nobody ends: silent agents, leases and messages that ran out, old entries of the log. */
export class Reaper {
  readonly #deps: ReaperDeps;
  /** From when on whoever is there has had the chance to say so. */
  #judgesFrom: number;
  readonly #leases: Alarm;
  readonly #expiries: Alarm;
  readonly #pruner: Pruner;
  readonly #stalls: Stalls;
  #cancelNext: (() => void) | null = null;
  readonly #inOrder = new Serial();
  #pruning: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(deps: ReaperDeps) {
    this.#deps = deps;
    this.#judgesFrom = deps.clock.now() + deps.settings.staleTtlMs;
    this.#pruner = new Pruner(deps);
    this.#stalls = new Stalls(deps);
    this.#leases = new Alarm(deps.clock, () => this.#run(() => this.#expireClaims()));
    this.#expiries = new Alarm(deps.clock, () => this.#run(() => this.#expireMessages()));
  }

  leaseEndsAt(at: number): void {
    if (!this.#isClosed) this.#leases.setFor(at);
  }

  messageExpiresAt(at: number): void {
    if (!this.#isClosed) this.#expiries.setFor(at);
  }

  start(): void {
    this.#run(async () => {
      await this.#expireMessages();
      await this.#expireClaims();
    });
    this.#scheduleNext();
  }

  /**
   * The machine slept, or its clock was set: nobody could act in what the clock says has passed. Leases keep the time that was left of them, and
   * one stale period goes by before anybody is judged. Called while the clock still says the old time.
   */
  async timeMoved(byMs: number): Promise<void> {
    if (this.#isClosed) return;
    const { store, clock, settings, presence, log } = this.#deps;
    const now = clock.now() + byMs;
    log.warn('the time has moved: whoever is there has one stale period to say so', { byMs });
    this.#judgesFrom = now + settings.staleTtlMs;
    await this.#inOrder.run(() =>
      this.#attempt(async () => {
        await store.claims.moveLeases(byMs);
        presence.timeMoved(now);
        await this.#seenBy(now);
      }),
    );
    this.#leases.clear();
    // What was set for the old time rings by the new one.
    clock.schedule(() => this.#run(() => this.#expireClaims()), 0);
  }

  /** Nobody has been seen later than now: who is silent would be taken for there until the clock has come that far again. */
  async #seenBy(now: number): Promise<void> {
    const { agents } = this.#deps.store;
    for (const workspace of [...agents.index.workspaces()]) {
      for (const { agent } of [...agents.index.in(workspace).agents()]) {
        if (!agent || agent.lastSeenAt <= now) continue;
        await agents.change(workspace, agent.id, ({ agent: current }) => {
          const next = current && { ...current, lastSeenAt: Math.min(current.lastSeenAt, now) };
          return { answer: null, change: next && { at: now, agents: [{ id: agent.id, agent: next }] } };
        });
      }
    }
  }

  /** One round, now, with all of its pruning. */
  async reap(): Promise<void> {
    await this.#sweep();
    await this.#pruner.prune();
  }

  async #sweep(): Promise<void> {
    const { clock, inboxes, sweepMore } = this.#deps;
    // Whoever was connected before the start has had no chance to say so yet.
    if (clock.now() >= this.#judgesFrom) await this.#judgeAgents();
    inboxes.sweep(clock.now());
    await this.#expireClaims();
    await this.#expireMessages();
    await this.#stalls.sweep();
    await sweepMore(clock.now());
  }

  /** Waits for the round in hand. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelNext?.();
    this.#leases.clear();
    this.#expiries.clear();
    await this.#pruner.close();
    await this.#inOrder.settled();
    await this.#pruning;
  }

  #scheduleNext(): void {
    this.#cancelNext = this.#deps.clock.schedule(() => {
      this.#run(async () => {
        await this.#sweep();
        // Not waited for: leases and mail run out on time also while there is much to prune.
        this.#pruning = this.#attempt(() => this.#pruner.prune());
      });
      if (!this.#isClosed) this.#scheduleNext();
    }, this.#deps.settings.reapIntervalMs);
  }

  /** One thing at a time; a failed one is tried again at the next round. */
  #run(task: () => Promise<void>): void {
    void this.#inOrder.run(() => (this.#isClosed ? undefined : this.#attempt(task)));
  }

  async #attempt(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#deps.log.error('the reaper failed', { error: messageOf(error) });
    }
  }

  async #judgeAgents(): Promise<void> {
    const { store, clock, settings, agents, presence } = this.#deps;
    const now = clock.now();
    presence.sweep();
    for (const workspace of [...store.agents.index.workspaces()]) {
      for (const { agent } of [...store.agents.index.in(workspace).agents()]) {
        if (!agent) continue;
        presence.noteOpen(workspace, agent.id);
        const heardAt = () => presence.heardAt(workspace, agent.id);
        if (isStale(heardOf(agent, heardAt()), now, settings.staleTtlMs)) await agents.markStale(workspace, agent.id, heardAt);
        else if (isPrunable(agent, now, settings.offlinePruneMs)) await this.#pruneAgent(workspace, agent.id, now);
      }
    }
  }

  async #pruneAgent(workspace: string, id: string, now: number): Promise<void> {
    const { agents, settings } = this.#deps;
    await agents
      .remove(workspace, id, { reason: `${id} has been offline for too long`, by: null }, (agent, facts) => {
        if (!isPrunable(agent, now, settings.offlinePruneMs)) throw new RelayError('busy', `${id} has come back`);
        // Its bindings are what somebody configured: they outlast an outage, however long.
        if (facts.hasBindings) throw new RelayError('busy', `${id} has bindings`);
        // It rests, as it was told to.
        if (isWoken(facts, id)) throw new RelayError('busy', `${id} is woken by mail`);
      })
      .catch((error: unknown) => {
        if (!(error instanceof RelayError) || error.code !== 'busy') throw error;
      });
  }

  async #expireClaims(): Promise<void> {
    const { store, clock } = this.#deps;
    const now = clock.now();
    while ((await store.claims.expire(now, BATCH, (claim) => expireClaim(claim, now))) === BATCH);
    const next = await store.claims.nextExpiry();
    if (next !== null) this.leaseEndsAt(next);
  }

  async #expireMessages(): Promise<void> {
    const { store, clock, inboxes } = this.#deps;
    await inboxes.flush();
    const now = clock.now();
    const why = { reason: 'Its time to live ran out', now };
    const expire = () => endMail(inboxes, (decide) => store.messages.expire(now, BATCH, decide), why);
    while ((await expire()).count === BATCH);
    const next = await store.messages.nextExpiry();
    if (next !== null) this.messageExpiresAt(next);
  }
}
