import {
  type Agent,
  AgentIdSchema,
  type AgentStatus,
  OWNER_AGENT_ID,
  type Principal,
  RELAY_AGENT_ID,
  type RegisterAgent,
  type RegisteredAgent,
  RelayError,
  type SessionGuard,
} from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { assertCurrentSession, assertMayRegister } from '../../domain/acting.ts';
import type { Change, NewEvent } from '../../domain/change.ts';
import { renewClaim } from '../../domain/claim.ts';
import { claimEvent } from '../../domain/claim-changes.ts';
import type { Directory } from '../../domain/directory.ts';
import type { AgentFacts, Decision, RemovalFacts } from '../../domain/facts.ts';
import { assertMayBeOfKind } from '../../domain/kinds.ts';
import type { LostMail } from '../../domain/notices.ts';
import { heardOf, isStale, isWorthWriting, presenceChange, statusAfterHeartbeat } from '../../domain/presence.ts';
import { isSameCard, registerAgent, registrationEvents } from '../../domain/registration.ts';
import { type Removal, removalStep } from '../../domain/removal.ts';
import { agentOf, isOwner } from '../../domain/scopes.ts';
import { narrowed } from '../../domain/spawn-rules.ts';
import { unknownAgent } from '../../domain/unknown-agent.ts';
import type { Store } from '../../store/store.ts';
import type { RelaySettings } from '../contract/relay-settings.ts';
import type { Inboxes } from '../mail/inboxes.ts';
import type { Tokens } from '../tokens/tokens.ts';

export interface AgentRegistryDeps {
  readonly store: Pick<Store, 'agents'>;
  readonly clock: Clock;
  readonly settings: Pick<RelaySettings, 'staleTtlMs'>;
  readonly tokens: Tokens;
  readonly inboxes: Inboxes;
}

interface RegisterOptions {
  readonly withToken: boolean;
  readonly mayRegister: (found: AgentFacts) => void;
}

export interface SignOfLife {
  readonly guard: SessionGuard;
  readonly status: AgentStatus | undefined;
  /** Throws where the caller may not say so. */
  readonly mayAct?: (agents: Directory) => void;
}

/** Who there is, in which session, and whether it is there. */
export class AgentRegistry {
  readonly #deps: AgentRegistryDeps;

  constructor(deps: AgentRegistryDeps) {
    this.#deps = deps;
  }

  /** Registers as the caller may. @throws RelayError `forbidden`, `stale_session`, `validation_failed`. */
  register(principal: Principal, input: RegisterAgent): Promise<RegisteredAgent> {
    const id = input.id ?? idFromName(input.name);
    const isSelf = agentOf(principal) === id;
    if (input.withToken === true && !isOwner(principal) && !isSelf) {
      throw new RelayError('forbidden', 'Only the owner, or the agent itself, may ask for a token', {
        issues: [{ path: 'withToken', message: 'Only the owner, or the agent itself, may ask' }],
      });
    }
    return this.#register(
      principal.workspace,
      { ...input, id },
      {
        withToken: input.withToken === true,
        mayRegister: (found) => {
          assertMayRegister(principal, id, found);
          assertMayBeOfKind(principal, { id, kind: input.kind }, found.agent);
        },
      },
    );
  }

  /** The session is alive: its presence and its claims are renewed. @throws RelayError `not_found`, `stale_session`. */
  async heartbeat(workspace: string, id: string, { guard, status, mayAct }: SignOfLife): Promise<Agent> {
    const now = this.#deps.clock.now();
    return this.#change(workspace, id, ({ agent, agents, heldClaims }) => {
      mayAct?.(agents);
      assertCurrentSession(id, agent, guard);
      const next: Agent = { ...agent, status: statusAfterHeartbeat(agent.status, status), lastSeenAt: now };
      const told = presenceChange(agent, next, now);
      if (next.status === 'offline') return { answer: next, change: told };
      const claims = heldClaims
        .filter((claim) => claim.epoch === agent.epoch && claim.leaseExpiresAt > now)
        .map((claim) => ({ before: claim, after: renewClaim(claim, now, this.#deps.settings.staleTtlMs) }))
        .filter(({ before, after }) => before !== after)
        .map(({ after }) => after);
      const events = [...told.events, ...claims.map((claim) => claimEvent('claim.renewed', claim, now))];
      return { answer: next, change: { ...told, events, claims } };
    });
  }

  /** It has done something, so it is there. The leases of its claims stay as they are. */
  async heard(workspace: string, id: string): Promise<void> {
    const now = this.#deps.clock.now();
    await this.#deps.store.agents.change(workspace, id, ({ agent }) => {
      if (!agent || !isWorthWriting(agent, now, this.#deps.settings.staleTtlMs)) return unchanged;
      const next: Agent = { ...agent, status: statusAfterHeartbeat(agent.status, undefined), lastSeenAt: now };
      return { answer: null, change: presenceChange(agent, next, now) };
    });
  }

  /** Changes what a card says. An event tells of it only when it says something new; `steeredBy` steers the agent by it then. */
  update(
    workspace: string,
    id: string,
    { type, steeredBy = null }: { readonly type: 'agent.updated' | 'agent.status'; readonly steeredBy?: string | null },
    change: (agent: Agent, agents: Directory) => Partial<Agent>,
  ): Promise<Agent> {
    const now = this.#deps.clock.now();
    return this.#change(workspace, id, ({ agent, agents }) => {
      const next: Agent = { ...agent, ...change(agent, agents), ...(type === 'agent.status' ? { lastSeenAt: now } : {}) };
      const events: readonly NewEvent[] = isSameCard(agent, next) ? [] : [{ type, at: now, agent: next }];
      const steers = events.length === 0 || steeredBy === null ? [] : [{ agentId: id, by: steeredBy }];
      return { answer: next, change: { at: now, events, agents: [{ id, agent: next }], steers } };
    });
  }

  /**
   * Nobody has heard of it for too long: offline, its claims released, its mail offered again. Looks again before it judges; `heardAt` is when
   * it last acted, asked inside the decision.
   */
  async markStale(workspace: string, id: string, heardAt: () => number): Promise<void> {
    const now = this.#deps.clock.now();
    const { answer: isGone } = await this.#deps.store.agents.change(workspace, id, ({ agent }) => {
      if (!agent || !isStale(heardOf(agent, heardAt()), now, this.#deps.settings.staleTtlMs)) return { answer: false, change: null };
      const next: Agent = { ...agent, status: 'offline' };
      const because = `${id} has not been heard of`;
      const events: readonly NewEvent[] = [{ type: 'agent.status', at: now, agent: next }];
      return { answer: true, change: { at: now, events, agents: [{ id, agent: next, because }] } };
    });
    if (isGone) this.#deps.inboxes.endLease(workspace, id, new RelayError('stale_session', `${id} has not been heard of and is offline`));
  }

  /**
   * Deletes an address: its waiting mail fails, a window at a time, and at the end the senders are told, once each. Its epoch is remembered.
   */
  async remove(
    workspace: string,
    id: string,
    { reason, by }: Pick<Removal, 'reason' | 'by'>,
    mayRemove: (agent: Agent, facts: RemovalFacts) => void,
  ): Promise<number> {
    const { store, clock, inboxes } = this.#deps;
    const now = clock.now();
    const lost: LostMail[] = [];
    for (let after = 0, isLast = false; !isLast; ) {
      const window = { after, limit: REMOVED_AT_ONCE };
      const step = await store.agents.remove(workspace, id, window, (facts) => {
        if (!facts.agent) throw unknownAgent(id, facts.agents.agents());
        mayRemove(facts.agent, facts);
        return removalStep(facts, { id, reason, by, now, lost });
      });
      lost.push(...step.answer);
      inboxes.settle(
        workspace,
        id,
        step.answer.map((message) => message.id),
      );
      ({ through: after, isLast } = step);
    }
    inboxes.endLease(workspace, id, new RelayError('not_found', `${id} was removed`));
    return lost.length;
  }

  /** Makes the addresses that every workspace has. */
  async ensureBuiltIn(workspace: string): Promise<void> {
    for (const [id, kind] of [
      [OWNER_AGENT_ID, 'user'],
      [RELAY_AGENT_ID, 'system'],
    ] as const) {
      await this.#deps.store.agents.change(workspace, id, (found) => {
        if (found.agent) return unchanged;
        const { agent } = registerAgent(found, { id, name: id }, null, this.#deps.clock.now());
        const builtIn: Agent = { ...agent, kind };
        const at = agent.registeredAt;
        return {
          answer: null,
          change: { at, events: [{ type: 'agent.registered', at, agent: builtIn }], agents: [{ id, agent: builtIn }] },
        };
      });
    }
  }

  async #register(workspace: string, input: RegisterAgent & { readonly id: string }, options: RegisterOptions): Promise<RegisteredAgent> {
    const { id } = input;
    const now = this.#deps.clock.now();
    const { answer, cursor } = await this.#deps.store.agents.change(workspace, id, (found) => {
      options.mayRegister(found);
      // Whoever registers it: a program that runs for an agent often does so with the owner's credential.
      const approval = narrowed(input.approval, found.approval);
      const { agent: registered, isNew, beginsSession } = registerAgent(found, { ...input, approval }, null, now);
      const minted = options.withToken ? this.#deps.tokens.mint('session', { workspace, agentId: id, epoch: registered.epoch }) : null;
      const agent: Agent = minted ? { ...registered, protected: true } : registered;
      const change: Change = {
        at: now,
        events: registrationEvents(found.agent, agent, beginsSession, now),
        agents: [{ id, agent, ...(beginsSession ? { spawnedBy: null } : {}) }],
        revokeAgentTokens: beginsSession ? [id] : [],
        tokens: minted ? [minted.record] : [],
      };
      const said = { ...agent, created: isNew, ...(minted ? { token: minted.token } : {}) };
      return { answer: { said, tookOver: beginsSession && !isNew }, change };
    });
    const { said, tookOver } = answer;
    if (tookOver) this.#deps.inboxes.endLease(workspace, id, new RelayError('stale_session', `A newer session of ${id} has taken over`));
    if (said.protected) this.#deps.inboxes.recheck(workspace, id);
    return { ...said, cursor };
  }

  async #change(workspace: string, id: string, decide: (facts: AgentFacts & { readonly agent: Agent }) => Decision<Agent>): Promise<Agent> {
    const { answer } = await this.#deps.store.agents.change(workspace, id, (facts) => {
      const { agent, agents } = facts;
      if (!agent) throw unknownAgent(id, agents.agents());
      return decide({ ...facts, agent });
    });
    return answer;
  }
}

const unchanged = { answer: null, change: null };

function idFromName(name: string): string {
  if (AgentIdSchema.safeParse(name).success) return name;
  throw new RelayError('validation_failed', 'id: Give an id: the name cannot be one', {
    issues: [{ path: 'id', message: 'Give an id: the name cannot be one' }],
  });
}

/** What others wait for at most while an agent with much waiting mail is removed. */
const REMOVED_AT_ONCE = 200;
