import { randomUUID } from 'node:crypto';
import type { AgentHandle, RelayClient } from 'agent-relay-client';
import { type AgentIdentity, createNodeRelayClient, type FoundRelay, findRelay, proxyOnTheWay } from 'agent-relay-client/node';
import { type AgentStatus, type ApprovalMode, messageOf, RelayError } from 'agent-relay-protocol';
import { aborted, Pauses, Pump, retryWhileRetryable, settlesWithin, sleep } from 'agent-relay-wire';
import { relayFetch } from './relay-fetch.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The agent is at its relay; what is asked through `client` and `fetch` is asked as the agent, with a token of its own. */
export interface AgentAtRelay {
  readonly url: string;
  readonly version: string;
  readonly token: string;
  readonly handle: AgentHandle;
  readonly client: RelayClient;
  readonly fetch: typeof globalThis.fetch;
  /** The relay has said that this is no longer the agent, sooner than a heartbeat asks. */
  readonly over: (error: RelayError) => void;
}

/** Whether the relay refuses the agent as such. A session whose place another has taken reads no more than that its token is none. */
export const isSessionOver = (error: unknown): error is RelayError =>
  error instanceof RelayError && (error.code === 'stale_session' || error.code === 'unauthorized');

/** As the agent's card says it now, for a person may change it at any time. @throws RelayError when the relay cannot be asked. */
export async function approvalNow(
  { client, handle }: Pick<AgentAtRelay, 'client' | 'handle'>,
  signal?: AbortSignal,
): Promise<ApprovalMode> {
  return (await client.agents.get({ id: handle.id }, signal && { signal })).approval;
}

/** So long a status that is on its way may take: then the goodbye goes all the same. */
const STATUS_MS = 1_000;

export interface AgentPresenceOptions {
  readonly env: Environment;
  readonly identity: AgentIdentity;
  readonly onAttached: (attached: AgentAtRelay) => void;
  /** Told once for each reason. */
  readonly onAway: (reason: string) => void;
  /** A proxy on the way to the relay can read the token; told once for each relay. */
  readonly onProxy: (warning: string) => void;
  /** Another session has become the agent, and has its mail while it is there. */
  readonly onReplaced: () => void;
  /** How often it is looked whether that session is still there. Default 5 000. */
  readonly lookEveryMs?: number;
  /** Default: the client's. */
  readonly heartbeatMs?: number;
  /** How long `close` waits for a relay that does not answer. Default 5 000. */
  readonly goodbyeMs?: number;
}

/**
 * Keeps an agent at its relay, which may come later, go and come again.
 *
 * States: *away* until the agent is registered; *attached* while its token and its place as this agent last; *replaced* while another session is this agent,
 * which began later; *closed* by `close()`.
 */
export class AgentPresence {
  readonly #options: AgentPresenceOptions;
  readonly #closing = new AbortController();
  readonly #instanceId = randomUUID();
  readonly #running: Promise<void>;
  /** What the relay refuses for good, the heartbeat is refused as well. */
  readonly #status = new Pump(
    () => this.#tellStatus(),
    () => {},
  );
  #wanted: AgentStatus | undefined;
  #telling: Promise<void> = Promise.resolve();
  #attached: AgentAtRelay | undefined;
  #lastReason = '';
  #warnedOf = '';

  constructor(options: AgentPresenceOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get attached(): AgentAtRelay | undefined {
    return this.#attached;
  }

  /** How the session stands. A relay that is away is told once it is there. */
  setStatus(status: 'busy' | 'idle'): void {
    this.#wanted = status;
    this.#status.wake();
  }

  /** Sets the agent offline, where the relay can be told and answers in time. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new RelayError('connection_closed', 'The session is over'));
    await settlesWithin(this.#running, this.#options.goodbyeMs ?? 5_000);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const pauses = new Pauses({ initialMs: 200, maxMs: 5_000 });
    while (!signal.aborted) {
      try {
        await this.#attach();
        pauses.reset();
      } catch (error) {
        if (signal.aborted) return;
        if (isSessionOver(error) && (await this.#isReplaced())) await this.#whileReplaced();
        else this.#tell(messageOf(error));
      }
      await pauses.take({ signal });
    }
  }

  /** Registers and stays until the registration ends. @throws what ended it. */
  async #attach(): Promise<void> {
    const { identity, env, onAttached, heartbeatMs } = this.#options;
    const registration = { ...identity, instanceId: this.#instanceId };
    const found = await findRelay({ env });
    this.#warn(found);
    const { signal } = this.#closing;
    const token = await tokenOf(found, registration, signal);
    if (token === undefined) throw new RelayError('unsupported', `The relay at ${found.url} gives agents no token of their own`);
    const fetch = relayFetch(env, token);
    await using client = createNodeRelayClient({ url: found.url, token, fetch });
    const { version } = await client.system.version({}, { signal });
    const handle = await client.register({ ...registration, ...(heartbeatMs === undefined ? {} : { heartbeatMs }) });
    try {
      // Closed while the relay was asked: nobody takes up what comes now.
      signal.throwIfAborted();
      this.#lastReason = '';
      const told = new AbortController();
      this.#attached = { url: found.url, version, token, handle, client, fetch, over: (error) => told.abort(error) };
      this.#status.wake();
      onAttached(this.#attached);
      const over = AbortSignal.any([handle.signal, told.signal, signal]);
      await aborted(over);
      throw over.reason;
    } finally {
      this.#attached = undefined;
      // A status that is on its way may come to the relay after the goodbye.
      await settlesWithin(this.#telling, STATUS_MS);
      await handle.close();
    }
  }

  async #tellStatus(): Promise<void> {
    const { handle } = this.#attached ?? {};
    const ask = async () => {
      if (!handle || !this.#wanted) return;
      this.#telling = handle.setStatus(this.#wanted);
      await this.#telling;
    };
    await retryWhileRetryable(ask, { initialMs: 200, maxMs: 5_000, signal: handle?.signal });
  }

  /** Two that took the agent from each other in turn would both lose its mail: who came later keeps it. */
  async #whileReplaced(): Promise<void> {
    const { signal } = this.#closing;
    this.#options.onReplaced();
    this.#lastReason = '';
    do await sleep(this.#options.lookEveryMs ?? 5_000, { signal });
    while (!signal.aborted && (await this.#isReplaced()));
  }

  /** Whether another session is the agent now. A relay that cannot be asked says nothing new. */
  async #isReplaced(): Promise<boolean> {
    const { env, identity } = this.#options;
    try {
      await using asOwner = createNodeRelayClient(await findRelay({ env }));
      const { instanceId, status } = await asOwner.agents.get({ id: identity.id }, { signal: this.#closing.signal });
      return instanceId !== null && instanceId !== this.#instanceId && status !== 'offline';
    } catch {
      return false;
    }
  }

  #warn({ url, socketPath }: FoundRelay): void {
    const warning = socketPath === undefined ? proxyOnTheWay(url) : null;
    if (warning === null || url === this.#warnedOf) return;
    this.#warnedOf = url;
    this.#options.onProxy(warning);
  }

  #tell(reason: string): void {
    if (reason === this.#lastReason) return;
    this.#lastReason = reason;
    this.#options.onAway(reason);
  }
}

/** Registers as the owner, who alone may have a token made for an agent. */
async function tokenOf(
  found: FoundRelay,
  registration: AgentIdentity & { readonly instanceId: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  await using asOwner = createNodeRelayClient(found);
  return (await asOwner.agents.register({ ...registration, withToken: true }, { signal })).token;
}
