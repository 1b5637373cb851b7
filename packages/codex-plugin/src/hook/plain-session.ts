import { randomUUID } from 'node:crypto';
import { type AgentIdentity, agentIdentity, createNodeRelayClient, findRelay } from 'agent-relay-client/node';
import { type Agent, type ApprovalMode, type InboxItem, type KnownReservations, messageOf, RelayError } from 'agent-relay-protocol';
import { formatEnvelope } from 'agent-relay-wire';
import { relayFetch } from '../relay/relay-fetch.ts';
import { sessionText } from '../relay/session-text.ts';
import { keepReservations, keptReservations } from '../session/kept-reservations.ts';
import { sessionCommand } from '../session/own-program.ts';
import { isLive, readSession, type StoredSession, writeSession } from '../session/stored-session.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface PlainSessionOptions {
  readonly env: Environment;
  readonly threadId: string;
  readonly cwd: string;
  readonly now: () => number;
  readonly tell: (sentence: string) => void;
}

interface Registered {
  readonly url: string;
  readonly serverVersion: string;
  readonly approval: ApprovalMode;
  /** The relay's time, where it has just been told. */
  readonly relayNow?: number;
}

/** What a tool is about to change; a patch that names no file may be of any. */
export interface FileChange {
  readonly kind: 'edit' | 'execute';
  readonly files: readonly string[];
}

const shownUrl = 'http://127.0.0.1:4850';
/** More in one answer of a hook would be cut. */
const mailAtOnce = 8;
/** A tool waits so long for the relay: Codex gives its hook five seconds. */
const CHECK_LIMIT_MS = 3_000;

/**
 * The agent of a session that a person started with plain `codex`: registered by its first hook, present while its hooks run. Where a machine of the
 * relay has the session already, the agent is left to it.
 */
export class PlainSession {
  readonly #options: PlainSessionOptions;
  readonly #identity: AgentIdentity;

  /** @throws RelayError as `agentIdentity` does. */
  constructor(options: PlainSessionOptions) {
    this.#options = options;
    const { env, threadId, cwd } = options;
    this.#identity = agentIdentity({ cwd, env, sessionKey: threadId, provider: 'codex', defaults: { tags: ['codex'] } });
  }

  /** Registers, and answers what the session is told of itself; a relay that is away is said to be. */
  async begin(): Promise<string> {
    const { env } = this.#options;
    const { id: agentId, approval = 'open' } = this.#identity;
    const facts = { agentId, command: await sessionCommand(env, 'agent-relay-codex run') };
    try {
      const registered = await this.#register();
      await this.#readReservations(registered.relayNow);
      return sessionText({ ...facts, ...registered });
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      return sessionText({ ...facts, approval, url: env['AGENT_RELAY_URL'] || shownUrl, serverVersion: null });
    }
  }

  async prompted(): Promise<void> {
    await this.setStatus('busy');
    await this.#readReservations();
  }

  async setStatus(status: 'busy' | 'idle'): Promise<void> {
    const session = (await this.#own()) ?? (await this.#registered());
    if (session !== null) await tellStatus(this.#options.env, session, status);
  }

  /** Mail that waits, as the model reads it, or null. Only where mail may do what the session may. */
  async takeMail(): Promise<string | null> {
    const session = await this.#own();
    if (session === null) return null;
    await using client = asAgent(this.#options.env, session);
    const guard = { id: session.agentId, instanceId: session.instanceId, epoch: session.epoch };
    const { data } = await client.inbox.list({ ...guard, limit: mailAtOnce });
    if (data.length === 0) return null;
    // A person may have changed it since the session began.
    const { approval } = await client.agents.get({ id: session.agentId });
    if (approval !== 'open') return null;
    const reports = data.map(({ message }: InboxItem) => ({
      messageId: message.id,
      state: 'delivered' as const,
      evidence: 'accepted' as const,
    }));
    await client.deliveries.report({ ...guard, reports });
    return data.map(formatEnvelope).join('\n\n');
  }

  /**
   * Why these files are not to be changed, as another agent has reserved some of them; null where nobody says so. Where the relay does not answer, what it
   * has said before holds on.
   */
  async reservedAgainst({ cwd, kind, files }: FileChange & { readonly cwd: string }): Promise<string | null> {
    const session = this.#stored();
    if (session === null) return null;
    await using client = asAgent(this.#options.env, session);
    const use = { kind, cwd, ...(files.length > 0 && { files: [...files] }) };
    const known = this.#knownReservations();
    try {
      const { holder, reason } = await client.reservations.check({ agentId: session.agentId, ...use }, { timeoutMs: CHECK_LIMIT_MS });
      if (holder) {
        known.met(holder);
        this.#keep(known);
      }
      return reason;
    } catch {
      return known.against(session.agentId, use);
    }
  }

  /** For when the relay cannot be asked. */
  async #readReservations(relayNow?: number): Promise<void> {
    const session = this.#stored();
    if (session === null) return;
    const known = this.#knownReservations();
    if (relayNow !== undefined) known.timeTold(relayNow);
    await using client = asAgent(this.#options.env, session);
    await known.refresh((page) => client.reservations.list(page, { timeoutMs: CHECK_LIMIT_MS }));
    this.#keep(known);
  }

  #knownReservations(): KnownReservations {
    const { env, threadId, now } = this.#options;
    return keptReservations(env, threadId, now);
  }

  #keep(known: KnownReservations): void {
    const { env, threadId, tell } = this.#options;
    try {
      keepReservations(env, threadId, known);
    } catch (error) {
      tell(`What is reserved cannot be noted: ${messageOf(error)}`);
    }
  }

  #stored(): StoredSession | null {
    return readSession(this.#options.env, this.#options.threadId);
  }

  async #isLive(): Promise<boolean> {
    const session = this.#stored();
    return session !== null && (await isLive(session));
  }

  /** The agent, as far as it is these hooks' to speak for. */
  async #own(): Promise<StoredSession | null> {
    return (await this.#isLive()) ? null : this.#stored();
  }

  async #registered(): Promise<StoredSession | null> {
    await this.#register();
    return await this.#own();
  }

  async #register(): Promise<Registered> {
    const { env, threadId } = this.#options;
    const found = await findRelay({ env });
    await using client = createNodeRelayClient({ ...found, timeoutMs: 5_000 });
    const { version: serverVersion } = await client.system.version({});
    const hosted = await this.#hosted(client);
    if (hosted !== null) return { url: found.url, serverVersion, approval: hosted.approval };
    const instanceId = this.#stored()?.instanceId ?? randomUUID();
    const {
      token,
      epoch,
      approval,
      lastSeenAt: relayNow,
    } = await client.agents.register({ ...this.#identity, instanceId, withToken: true });
    if (token !== undefined) writeSession(env, threadId, { agentId: this.#identity.id, url: found.url, token, instanceId, epoch });
    return { url: found.url, serverVersion, approval, relayNow };
  }

  /** The agent, where a node of the relay, or `agent-relay-codex live`, has this session and brings its mail live; else null. */
  async #hosted(client: ReturnType<typeof createNodeRelayClient>): Promise<Agent | null> {
    const agent = await client.agents.get({ id: this.#identity.id }).catch((error: unknown) => {
      if (error instanceof RelayError && error.code === 'not_found') return null;
      throw error;
    });
    return agent !== null && agent.status !== 'offline' && (agent.nodeId !== null || (await this.#isLive())) ? agent : null;
  }
}

/** Says that the session is over, as what it was: one that has gone on with its conversation since is another. @throws RelayError */
export async function tellEnd(env: Environment, session: StoredSession): Promise<void> {
  try {
    await tellStatus(env, session, 'offline');
  } catch (error) {
    if (!(error instanceof RelayError && isOver.has(error.code))) throw error;
  }
}

/** What a session is told that another has replaced: its token has ended with it. */
const isOver: ReadonlySet<string> = new Set(['stale_session', 'unauthorized']);

async function tellStatus(env: Environment, session: StoredSession, status: 'busy' | 'idle' | 'offline'): Promise<void> {
  await using client = asAgent(env, session);
  const { agentId: id, instanceId, epoch } = session;
  await client.agents.status({ id, instanceId, epoch, status });
}

const asAgent = (env: Environment, { url, token }: StoredSession): ReturnType<typeof createNodeRelayClient> =>
  createNodeRelayClient({ url, token, fetch: relayFetch({ ...env, AGENT_RELAY_URL: url }, token), timeoutMs: 5_000 });
