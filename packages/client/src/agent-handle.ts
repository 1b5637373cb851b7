import {
  type Agent,
  type AgentStatus,
  DEFAULT_LEASE_MS,
  type InboxItem,
  type Message,
  type RegisterAgent,
  type RegisteredAgent,
  RelayError,
  type RouteRequest,
  type SentMessage,
} from 'agent-relay-protocol';
import { retryWhileRetryable } from 'agent-relay-wire';
import type { RelayCalls } from './calls.ts';
import { ClaimHandle } from './claim-handle.ts';
import { type InboxOptions, type InboxSource, readInbox } from './inbox.ts';

export type OutgoingMessage = Omit<RouteRequest<'messages/send'>, 'from'>;

interface AgentHandleOptions {
  readonly calls: RelayCalls;
  readonly registration: RegisterAgent & { readonly instanceId: string };
  readonly agent: RegisteredAgent;
  readonly openInbox: InboxSource;
  readonly heartbeatMs: number;
}

/** How often a send whose answer was lost is asked again; the idempotency key makes that safe. */
const SEND_ATTEMPTS = 6;

/**
 * A live agent: registered, kept present by heartbeats, and able to speak and listen as itself.
 *
 * States: `live` from registration; `replaced` when a newer process registered the same id (`signal` aborts with `stale_session`), or its
 * token has ended (`unauthorized`);
 * `closed` by `close()`, which sets the agent offline and keeps its address and mail.
 */
export class AgentHandle {
  readonly id: string;
  readonly instanceId: string;
  /** Aborts when this process no longer is the agent. */
  readonly signal: AbortSignal;
  readonly #options: AgentHandleOptions;
  readonly #ended = new AbortController();
  readonly #claims = new Set<ClaimHandle>();
  #agent: RegisteredAgent;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: AgentHandleOptions) {
    this.#options = options;
    this.#agent = options.agent;
    this.id = options.agent.id;
    this.instanceId = options.registration.instanceId;
    this.signal = this.#ended.signal;
    this.#scheduleHeartbeat();
  }

  /** The agent as the relay last answered it. */
  get agent(): Agent {
    return this.#agent;
  }

  get epoch(): number {
    return this.#agent.epoch;
  }

  /**
   * Sends a message as this agent. Resolves when it is on the relay's disk; a lost connection is retried under one idempotency key, so the
   * message is stored once. Once the handle has ended nothing is sent: it rejects with what ended it.
   */
  async send(message: OutgoingMessage): Promise<SentMessage> {
    const request = { ...message, from: this.id, idempotencyKey: message.idempotencyKey ?? crypto.randomUUID() };
    return await retryWhileRetryable(() => this.#options.calls.messages.send(request), {
      initialMs: 100,
      maxMs: 3_000,
      maxAttempts: SEND_ATTEMPTS,
      signal: this.signal,
    });
  }

  /** Answers a message: to its sender, in its thread. */
  reply(message: Pick<Message, 'id'> | number, body: string, extra: Omit<OutgoingMessage, 'body' | 'replyTo'> = {}): Promise<SentMessage> {
    return this.send({ ...extra, body, replyTo: typeof message === 'number' ? message : message.id });
  }

  /**
   * This agent's mail, oldest first, as its one deliverer. Asking for the next piece acknowledges the one before; leaving the loop early
   * leaves the last one unacknowledged. Reconnects by itself; ends when the handle does.
   */
  inbox(options: InboxOptions = {}): AsyncGenerator<Message, void, undefined> {
    return readInbox(this.#options.openInbox, {
      ...options,
      id: this.id,
      guard: () => this.#guard,
      signal: options.signal ? AbortSignal.any([options.signal, this.signal]) : this.signal,
      acknowledge: (items) => this.#acknowledge(items),
    });
  }

  /** Takes a claimable message. The lease renews itself. @throws RelayError `already_claimed` when somebody else won. */
  async claim(
    message: Pick<Message, 'id'> | number,
    { leaseMs = DEFAULT_LEASE_MS }: { readonly leaseMs?: number } = {},
  ): Promise<ClaimHandle> {
    const id = typeof message === 'number' ? message : message.id;
    const claim = await this.#options.calls.messages.claim({ id, agentId: this.id, ...this.#guard, leaseMs });
    if (claim.status !== 'held')
      throw new RelayError('claim_closed', `Message ${id} was claimed by this agent before and is ${claim.status}`);
    const handle = new ClaimHandle(this.#options.calls, claim, { agentId: this.id, ...this.#guard }, leaseMs);
    this.#claims.add(handle);
    return handle;
  }

  async setStatus(status: AgentStatus): Promise<void> {
    this.#adopt(await this.#options.calls.agents.status({ id: this.id, ...this.#guard, status }));
  }

  async setReady(ready: boolean): Promise<void> {
    this.#adopt(await this.#options.calls.agents.ready({ id: this.id, ...this.#guard, ready }));
  }

  async setLabel(label: string | null): Promise<void> {
    this.#adopt(await this.#options.calls.agents.label({ id: this.id, label }));
  }

  /** Gives held work back and goes offline. Idempotent. */
  async close(): Promise<void> {
    if (this.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#ended.abort(new RelayError('connection_closed', 'This agent was closed'));
    await Promise.allSettled([...this.#claims].map((claim) => claim[Symbol.asyncDispose]()));
    await this.#options.calls.agents.status({ id: this.id, ...this.#guard, status: 'offline' }).catch(() => {}); // the reaper does it when the relay cannot be told
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #guard(): { readonly instanceId: string; readonly epoch: number } {
    return { instanceId: this.instanceId, epoch: this.#agent.epoch };
  }

  #adopt(agent: Agent): void {
    this.#agent = { ...this.#agent, ...agent };
  }

  async #acknowledge(items: readonly InboxItem[]): Promise<void> {
    await this.#options.calls.inbox.ack({ id: this.id, ...this.#guard, ids: items.map(({ message }) => message.id) });
  }

  #scheduleHeartbeat(): void {
    this.#timer = setTimeout(() => void this.#beat(), this.#options.heartbeatMs);
  }

  async #beat(): Promise<void> {
    try {
      this.#adopt(await this.#options.calls.agents.heartbeat({ id: this.id, ...this.#guard }));
    } catch (error) {
      // A session whose token has ended is told no more than that.
      if (error instanceof RelayError && (error.code === 'stale_session' || error.code === 'unauthorized')) return this.#ended.abort(error);
      // Pruned while it was away: the address is made again, with a newer epoch.
      if (error instanceof RelayError && error.code === 'not_found') await this.#registerAgain();
    }
    if (!this.signal.aborted) this.#scheduleHeartbeat();
  }

  async #registerAgain(): Promise<void> {
    try {
      this.#agent = await this.#options.calls.agents.register(this.#options.registration);
    } catch {
      // The next heartbeat tries again.
    }
  }
}
