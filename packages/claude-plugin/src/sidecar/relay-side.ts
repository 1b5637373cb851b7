import { type AgentHandle, type RelayCalls, type RelayClient, RelayError, type VersionSeen } from 'agent-relay-client';
import { type AgentIdentity, createNodeRelayClient, type FoundRelay, findRelay } from 'agent-relay-client/node';
import type { AgentStatus, ApprovalMode, InboxItem } from 'agent-relay-protocol';
import { aborted, Bell, isRetryable, type Log, Pauses, Pump, retryWhileRetryable, settlesWithin, sleep } from 'agent-relay-wire';
import type { Outbox, OutboxEntry } from './outbox.ts';

export interface RelaySideOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly identity: AgentIdentity;
  readonly instanceId: string;
  /** A machine of the relay started the session: agent, token and instance are there already. */
  readonly isGiven: boolean;
  readonly outbox: Outbox;
  readonly log: Log;
  /** Answers whether any of it was new. */
  readonly onMail: (items: readonly InboxItem[]) => boolean;
  /** The session is the relay's again, as whom and with which token. */
  readonly onConnected: (link: SessionLink) => void;
  /** The relay has answered: what else it has to say can be asked for. */
  readonly onHeard: (link: SessionLink) => void;
  /** The relay does not take something that was kept for it. */
  readonly onRefused: (entry: OutboxEntry, error: RelayError) => void;
}

export interface SessionLink {
  readonly url: string;
  /** The session's own; undefined where whoever may give one was not asked, or refused. */
  readonly token: string | undefined;
  readonly calls: RelayCalls;
  readonly agent: AgentHandle;
  readonly client: RelayClient;
}

export type RelayState = 'connecting' | 'connected' | 'away' | 'replaced';

const CALL_LIMIT_MS = 10_000;
const POLL_MS = 25_000;
/** Mail that the session has not read yet is answered at once by each poll: this is how long until the next, in ms. */
const UNREAD_PAUSE_MS = 500;
const CLOSE_LIMIT_MS = 1_000;
/** How much longer than its session the agent may take to say goodbye, in ms. */
const GOODBYE_MS = 1_500;
/** About half a minute. */
const FETCH_ATTEMPTS = 16;

/** The session's agent at the relay: registered with a token of its own, present, its mail fetched and what was kept for the relay told. */
export class RelaySide {
  readonly #options: RelaySideOptions;
  readonly #outbox: Pump;
  readonly #status: Pump;
  readonly #changed = new Bell();
  #link: SessionLink | null = null;
  #state: RelayState = 'connecting';
  #wanted: AgentStatus = 'idle';
  #version: VersionSeen | null = null;
  #approval: ApprovalMode | null = null;
  #failure: RelayError | null = null;
  /** Of the last registration. */
  #epoch = 0;

  constructor(options: RelaySideOptions) {
    this.#options = options;
    const { log } = options;
    this.#outbox = new Pump(
      () => this.#tellKept(),
      (error) => log.warn('what was kept for the relay waits on', { error }),
    );
    this.#status = new Pump(
      () => this.#tellStatus(),
      (error) => log.debug('the status was not told', { error }),
    );
  }

  get state(): RelayState {
    return this.#state;
  }

  get link(): SessionLink | null {
    return this.#link;
  }

  /** Why there is no link. */
  get failure(): RelayError | null {
    return this.#failure;
  }

  get version(): VersionSeen | null {
    return this.#version;
  }

  /** As the agent's card says it, which a person may change. */
  get approval(): ApprovalMode {
    return this.#approval ?? this.#options.identity.approval ?? 'open';
  }

  /** What a turn with mail is held to. As long as the relay has not said what the card says, a person is asked. */
  get heldTo(): ApprovalMode {
    if (this.#approval !== null) return this.#approval;
    return this.#options.identity.approval === 'read-only' ? 'read-only' : 'guarded';
  }

  get id(): string {
    return this.#options.identity.id;
  }

  /** Resolves when it is known whether the relay is there, or when the signal aborts. */
  async settled(signal: AbortSignal): Promise<void> {
    while (this.#state === 'connecting' && !signal.aborted) await this.#changed.next({ signal });
  }

  /** There is something in the outbox. */
  wake(): void {
    this.#outbox.wake();
  }

  setStatus(status: AgentStatus): void {
    this.#wanted = status;
    this.#status.wake();
  }

  /** Until the signal aborts and the relay was told, where it answers soon; or until a newer session has taken the agent over. */
  async run(signal: AbortSignal): Promise<void> {
    const kept = this.#keep(signal);
    await Promise.race([kept, aborted(signal)]);
    // A relay that says nothing keeps no process of a session that is over.
    if (await settlesWithin(kept, GOODBYE_MS)) await kept;
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const pauses = new Pauses({ initialMs: 250, maxMs: 5_000 });
    while (!signal.aborted) {
      try {
        const link = await this.#connect();
        pauses.reset();
        await this.#follow(link, signal);
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        this.#failure = error;
        if (error.code === 'stale_session') return this.#become('replaced');
        if (!signal.aborted && this.#state !== 'away') this.#options.log.info('the relay is away', { code: error.code });
      } finally {
        await this.#drop();
      }
      if (signal.aborted) return;
      this.#become('away');
      await pauses.take({ signal });
    }
  }

  async #connect(): Promise<SessionLink> {
    const { env, identity, instanceId, isGiven } = this.#options;
    const found = await findRelay({ env });
    const said = isGiven ? { id: identity.id, name: identity.id } : identity;
    const registration = { ...said, instanceId, status: this.#wanted, ready: true };
    const token = isGiven ? found.token : await this.#ownToken(found, registration);
    const own = token ?? found.token;
    const client = createNodeRelayClient({
      url: found.url,
      timeoutMs: CALL_LIMIT_MS,
      ...(own === undefined ? {} : { token: own }),
      // What stands for the owner goes through the owner's door alone.
      ...(token === undefined && found.socketPath !== undefined ? doorOf(found) : {}),
      onVersion: (seen) => {
        this.#version = seen;
      },
    });
    try {
      const agent = await client.register(registration);
      const link = { url: found.url, token, calls: client, agent, client };
      this.#link = link;
      this.#approval = agent.agent.approval;
      this.#epoch = agent.epoch;
      this.#failure = null;
      this.#options.onConnected(link);
      // Its mail may be waited for a while.
      this.#options.onHeard(link);
      this.#back();
      return link;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Undefined where whoever speaks for this user may not give one: then the session speaks as they do. */
  async #ownToken(found: FoundRelay, registration: AgentIdentity): Promise<string | undefined> {
    await using client = createNodeRelayClient({ ...found, timeoutMs: CALL_LIMIT_MS });
    try {
      await this.#assertNotReplaced(client);
      return (await client.agents.register({ ...registration, withToken: true })).token;
    } catch (error) {
      if (error instanceof RelayError && (error.code === 'forbidden' || error.code === 'unauthorized')) return undefined;
      throw error;
    }
  }

  /** A session that has taken over ended this one's token, which says no more than that: to register again would take it back. */
  async #assertNotReplaced({ agents }: RelayClient): Promise<void> {
    if (this.#epoch === 0) return;
    const { identity, instanceId } = this.#options;
    const now = await agents.get({ id: identity.id }).catch((error: unknown) => {
      // Pruned while it was away: nobody has it.
      if (error instanceof RelayError && error.code === 'not_found') return null;
      throw error;
    });
    if (now && now.epoch > this.#epoch && now.instanceId !== instanceId) {
      throw new RelayError('stale_session', `Another session has taken over ${identity.id}`);
    }
  }

  /** Ends when the agent does, or when the relay stays away: it may be found somewhere else then. */
  async #follow(link: SessionLink, signal: AbortSignal): Promise<void> {
    const { agent } = link;
    const living = AbortSignal.any([signal, agent.signal]);
    try {
      while (!living.aborted) {
        await retryWhileRetryable(() => this.#fetch(link, living), {
          initialMs: 100,
          maxMs: 3_000,
          maxAttempts: FETCH_ATTEMPTS,
          signal: living,
          onRetry: () => this.#become('away'),
        });
        if (this.#state !== 'connected') this.#back();
      }
    } catch (error) {
      if (!living.aborted) throw error;
    }
    const why: unknown = agent.signal.reason;
    if (!signal.aborted && why instanceof RelayError) throw why;
  }

  async #fetch(link: SessionLink, signal: AbortSignal): Promise<void> {
    const { calls, agent } = link;
    // Away, it is asked whether it is back rather than for mail, which may take long to come.
    const waitMs = this.#state === 'connected' ? POLL_MS : 0;
    const request = { id: agent.id, instanceId: agent.instanceId, epoch: agent.epoch, waitMs, limit: 64 };
    const { data } = await calls.inbox.list(request, { signal });
    this.#options.onHeard(link);
    if (data.length === 0) return;
    // A person may have changed it: what these messages may do is what holds now.
    this.#approval = (await calls.agents.get({ id: agent.id }, { signal })).approval;
    if (!this.#options.onMail(data)) await sleep(UNREAD_PAUSE_MS, { signal });
  }

  #back(): void {
    this.#become('connected');
    this.#outbox.wake();
    this.#status.wake();
  }

  async #drop(): Promise<void> {
    const link = this.#link;
    this.#link = null;
    if (link === null) return;
    await Promise.race([link.agent.close(), sleep(CLOSE_LIMIT_MS)]);
    await link.client.close();
  }

  async #tellKept(): Promise<void> {
    const { outbox, onRefused } = this.#options;
    for (const kept of outbox.entries) {
      const link = this.#link;
      if (link === null || this.#state !== 'connected') return;
      try {
        await tell(link, kept.entry);
      } catch (error) {
        if (!(error instanceof RelayError) || passing.has(error.code) || isRetryable(error)) throw error;
        onRefused(kept.entry, error);
      }
      outbox.remove(kept);
    }
    if (outbox.entries.length > 0) this.#outbox.wake();
  }

  async #tellStatus(): Promise<void> {
    const { agent } = this.#link ?? {};
    if (agent && !agent.signal.aborted) await agent.setStatus(this.#wanted);
  }

  #become(state: RelayState): void {
    this.#state = state;
    this.#changed.ring();
  }
}

const passing: ReadonlySet<string> = new Set(['unauthorized', 'stale_session']);

const doorOf = ({ socketPath, socketOwnerFile }: FoundRelay) => ({
  ...(socketPath === undefined ? {} : { socketPath }),
  ...(socketOwnerFile === undefined ? {} : { socketOwnerFile }),
});

async function tell({ calls, agent }: SessionLink, entry: OutboxEntry): Promise<void> {
  if (entry.type === 'send') {
    await calls.messages.send({ ...entry.message, from: agent.id });
    return;
  }
  const { messageId } = entry;
  const report =
    entry.type === 'seen'
      ? ({ messageId, state: 'seen', evidence: 'echo' } as const)
      : ({ messageId, state: 'failed', reason: entry.reason } as const);
  await calls.deliveries.report({ id: agent.id, instanceId: agent.instanceId, epoch: agent.epoch, reports: [report] });
}
