import {
  type Agent,
  AgentIdSchema,
  type AgentStatus,
  type Message,
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
import type { AgentFound, Change, DeliveryFound, DeliveryWrite, NewEvent } from '../../domain/change.ts';
import { renewClaim } from '../../domain/claim.ts';
import { claimEvent } from '../../domain/claim-changes.ts';
import { advanceDelivery } from '../../domain/delivery.ts';
import { assertMayBeOfKind } from '../../domain/kinds.ts';
import { noticesToSenders } from '../../domain/notices.ts';
import { leaveAll } from '../../domain/pair-changes.ts';
import { heardOf, isStale, isWorthWriting, statusAfterHeartbeat } from '../../domain/presence.ts';
import { isSameCard, registerAgent } from '../../domain/registration.ts';
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
  /** Whoever runs the machine says it, or the owner: everybody else may narrow what holds for an agent, and not widen it. */
  readonly mayWiden: boolean;
  readonly mayRegister: (found: AgentFound) => void;
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
        mayWiden: isOwner(principal),
        mayRegister: (found) => {
          assertMayRegister(principal, id, found);
          assertMayBeOfKind(principal, { id, kind: input.kind }, found.agent);
        },
      },
    );
  }

  /** The session is alive: its presence and its claims are renewed. @throws RelayError `not_found`, `stale_session`. */
  async heartbeat(
    workspace: string,
    id: string,
    guard: SessionGuard,
    status: AgentStatus | undefined,
    mayAct?: (agent: Agent) => void,
  ): Promise<Agent> {
    const now = this.#deps.clock.now();
    return this.#change(workspace, id, (found) => {
      const { agent, heldClaims } = found;
      mayAct?.(agent);
      assertCurrentSession(id, agent, guard);
      const next: Agent = { ...agent, status: statusAfterHeartbeat(agent.status, status), lastSeenAt: now };
      const events: NewEvent[] = next.status === agent.status ? [] : [{ type: 'agent.status', at: now, agent: next }];
      if (next.status === 'offline') {
        const left = leaveAll(found, id, 'offline', `${id} went offline`, now);
        return { agent: next, change: { ...left, events: [...events, ...left.events] } };
      }
      const claims = heldClaims
        .filter((claim) => claim.epoch === agent.epoch && claim.leaseExpiresAt > now)
        .map((claim) => ({ before: claim, after: renewClaim(claim, now, this.#deps.settings.staleTtlMs) }))
        .filter(({ before, after }) => before !== after)
        .map(({ after }) => after);
      return { agent: next, change: { claims, events: [...events, ...claims.map((claim) => claimEvent('claim.renewed', claim, now))] } };
    });
  }

  /** It has done something, so it is there. The leases of its claims stay as they are. */
  async heard(workspace: string, id: string): Promise<void> {
    const now = this.#deps.clock.now();
    await this.#deps.store.agents.change(workspace, id, ({ agent }) => {
      if (!agent || !isWorthWriting(agent, now, this.#deps.settings.staleTtlMs)) return null;
      const next: Agent = { ...agent, status: statusAfterHeartbeat(agent.status, undefined), lastSeenAt: now };
      return {
        agents: [{ id, agent: next }],
        events: next.status === agent.status ? [] : [{ type: 'agent.status', at: now, agent: next }],
      };
    });
  }

  /** Changes what a card says. An event tells of it only when it says something new. */
  update(workspace: string, id: string, type: 'agent.updated' | 'agent.status', change: (agent: Agent) => Partial<Agent>): Promise<Agent> {
    const now = this.#deps.clock.now();
    return this.#change(workspace, id, (found) => {
      const { agent } = found;
      const next: Agent = { ...agent, ...change(agent), ...(type === 'agent.status' ? { lastSeenAt: now } : {}) };
      if (isSameCard(agent, next)) return { agent: next, change: {} };
      const leaves = next.status === 'offline' && agent.status !== 'offline';
      const left = leaveAll(leaves ? found : nothingHeld, id, 'offline', `${id} went offline`, now);
      return { agent: next, change: { ...left, events: [{ type, at: now, agent: next }, ...left.events] } };
    });
  }

  /**
   * Nobody has heard of it for too long: offline, its claims released, its mail offered again. Looks again before it judges; `heardAt` is when
   * it last acted.
   */
  async markStale(workspace: string, id: string, heardAt: () => number): Promise<void> {
    const now = this.#deps.clock.now();
    let judged = false;
    await this.#deps.store.agents.change(workspace, id, (found) => {
      const { agent } = found;
      judged = agent !== null && isStale(heardOf(agent, heardAt()), now, this.#deps.settings.staleTtlMs);
      if (!agent || !judged) return null;
      const next: Agent = { ...agent, status: 'offline' };
      const left = leaveAll(found, id, 'offline', `${id} has not been heard of`, now);
      return {
        ...left,
        agents: [{ id, agent: next }],
        events: [{ type: 'agent.status', at: now, agent: next }, ...left.events],
      };
    });
    if (judged) this.#deps.inboxes.endLease(workspace, id, new RelayError('stale_session', `${id} has not been heard of and is offline`));
  }

  /**
   * Deletes an address: its waiting mail fails, a window at a time, and at the end the senders are told, once each. Its epoch is remembered.
   */
  async remove(workspace: string, id: string, reason: string, mayRemove: (agent: Agent) => void): Promise<number> {
    const { store, clock, inboxes } = this.#deps;
    const now = clock.now();
    const lost: LostMessage[] = [];
    for (let after = 0, isLast = false; !isLast; ) {
      let failed: readonly LostDelivery[] = [];
      const window = { after, limit: REMOVED_AT_ONCE };
      const step = await store.agents.remove(workspace, id, window, (found, waiting, isLastStep) => {
        const { agent } = found;
        if (!agent) throw unknownAgent(id, store.agents.index.agents(workspace));
        mayRemove(agent);
        failed = failedMail(waiting, id, reason, now);
        const deliveries = failed.map(({ write }) => write);
        if (!isLastStep) return { deliveries };
        return removal(found, { id, reason, now, deliveries, lost: [...lost, ...failed.map(({ message }) => message)] });
      });
      lost.push(...failed.map(({ message }) => message));
      inboxes.settle(
        workspace,
        id,
        failed.map(({ message }) => message.id),
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
        if (found.agent) return null;
        const { agent } = registerAgent(found, { id, name: id }, null, this.#deps.clock.now());
        const builtIn: Agent = { ...agent, kind };
        return { agents: [{ id, agent: builtIn }], events: [{ type: 'agent.registered', at: agent.registeredAt, agent: builtIn }] };
      });
    }
  }

  async #register(workspace: string, input: RegisterAgent & { readonly id: string }, options: RegisterOptions): Promise<RegisteredAgent> {
    const { id } = input;
    const now = this.#deps.clock.now();
    const answers: Omit<RegisteredAgent, 'cursor'>[] = [];
    let tookOver = false;
    const { cursor } = await this.#deps.store.agents.change(workspace, id, (found) => {
      options.mayRegister(found);
      const approval = options.mayWiden ? input.approval : narrowed(input.approval, found.approval);
      const { agent: registered, isNew, beginsSession } = registerAgent(found, { ...input, approval }, null, now);
      const minted = options.withToken ? this.#deps.tokens.mint('session', { workspace, agentId: id, epoch: registered.epoch }) : null;
      const agent: Agent = minted ? { ...registered, protected: true } : registered;
      const left = beginsSession
        ? leaveAll(found, id, 'replaced', `A newer session of ${id} has taken over`, now)
        : leaveAll(agent.status === 'offline' ? found : nothingHeld, id, 'offline', `${id} went offline`, now);
      answers.push({ ...agent, created: isNew, ...(minted ? { token: minted.token } : {}) });
      tookOver = beginsSession && !isNew;
      const change: Change = {
        ...left,
        agents: [
          {
            id,
            agent,
            ...(beginsSession ? { spawnedBy: null } : {}),
          },
        ],
        events: [...registrationEvents(found.agent, agent, beginsSession, now), ...left.events],
        ...(beginsSession ? { revokeAgentTokens: [id] } : {}),
        ...(minted ? { tokens: [minted.record] } : {}),
      };
      return change;
    });
    if (tookOver) this.#deps.inboxes.endLease(workspace, id, new RelayError('stale_session', `A newer session of ${id} has taken over`));
    const registered = lastOf(answers);
    if (registered.protected) this.#deps.inboxes.recheck(workspace, id);
    return { ...registered, cursor };
  }

  async #change(
    workspace: string,
    id: string,
    decide: (found: AgentFound & { readonly agent: Agent }) => { readonly agent: Agent; readonly change: Change },
  ): Promise<Agent> {
    const decisions: Agent[] = [];
    await this.#deps.store.agents.change(workspace, id, (found) => {
      const { agent } = found;
      if (!agent) throw unknownAgent(id, this.#deps.store.agents.index.agents(workspace));
      const decided = decide({ ...found, agent });
      decisions.push(decided.agent);
      return { ...decided.change, agents: [{ id, agent: decided.agent }] };
    });
    return lastOf(decisions);
  }
}

const nothingHeld = { heldClaims: [], pair: null };

function registrationEvents(before: Agent | null, after: Agent, beginsSession: boolean, at: number): NewEvent[] {
  if (!before || beginsSession) return [{ type: 'agent.registered', at, agent: after }];
  if (isSameCard(before, after)) return [];
  return [{ type: isSameCard({ ...before, status: after.status }, after) ? 'agent.status' : 'agent.updated', at, agent: after }];
}

function idFromName(name: string): string {
  if (AgentIdSchema.safeParse(name).success) return name;
  throw new RelayError('validation_failed', 'id: Give an id: the name cannot be one', {
    issues: [{ path: 'id', message: 'Give an id: the name cannot be one' }],
  });
}

/** What the decision said when it ran last: it may run again when a shared transaction is repeated. */
function lastOf<Value>(values: readonly Value[]): Value {
  const value = values.at(-1);
  if (value === undefined) throw new Error('The store resolved a write without asking its decision');
  return value;
}

/** What others wait for at most while an agent with much waiting mail is removed. */
const REMOVED_AT_ONCE = 200;

/** What is kept of a message until its sender is told. */
type LostMessage = Pick<Message, 'id' | 'from' | 'kind'>;

interface LostDelivery {
  readonly message: LostMessage;
  readonly write: DeliveryWrite;
}

function failedMail(waiting: readonly DeliveryFound[], agentId: string, reason: string, now: number): readonly LostDelivery[] {
  return waiting.flatMap(({ message: { id, from, kind }, record }) => {
    const next = advanceDelivery(record, { state: 'failed', reason }, now);
    return next ? [{ message: { id, from, kind }, write: { messageId: id, agentId, from, next, tell: true } }] : [];
  });
}

interface Removal {
  readonly id: string;
  readonly reason: string;
  readonly now: number;
  readonly deliveries: readonly DeliveryWrite[];
  readonly lost: readonly LostMessage[];
}

function removal(found: AgentFound, { id, reason, now, deliveries, lost }: Removal): Change {
  const left = leaveAll(found, id, 'removed', reason, now);
  const notices = noticesToSenders(
    lost,
    (messages) => ({
      body: `${id} was removed before it had read ${messages.length === 1 ? `message ${messages[0]?.id}` : `${messages.length} of your messages`}.`,
      payload: { type: 'agent.removed', agentId: id, count: messages.length },
    }),
    now,
  );
  return {
    ...left,
    agents: [{ id, agent: null, spawnedBy: null }],
    events: [...left.events, { type: 'agent.removed', at: now, agentId: id }],
    deliveries,
    revokeAgentTokens: [id],
    messages: [...left.messages, ...notices],
  };
}
