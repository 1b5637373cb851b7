import { type AgentIdentity, agentIdentity } from 'agent-relay-client/node';
import type { CodexClient, CodexNotification, CodexThread } from 'agent-relay-codex-app-server';
import { parseNotification } from 'agent-relay-codex-app-server';
import { messageOf, RelayError } from 'agent-relay-protocol';
import { Bell, settlesWithin, sleep } from 'agent-relay-wire';
import { processIdentity } from 'agent-relay-wire/node';
import { type AgentAtRelay, AgentPresence, approvalNow } from '../relay/agent-presence.ts';
import { MailLine, type MailThreads } from '../relay/mail-line.ts';
import { sessionText } from '../relay/session-text.ts';
import { ContextNote } from '../session/context-note.ts';
import { sessionCommand } from '../session/own-program.ts';
import { forgetSession, writeSession } from '../session/stored-session.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface LiveSessionOptions {
  readonly client: CodexClient;
  readonly threadId: string;
  /** The folder of the conversation. */
  readonly cwd: string;
  /** Which relay, and what agents of this machine are by default. */
  readonly env: Environment;
  readonly isActive: boolean;
  readonly tell: (sentence: string) => void;
}

const joinForMs = 5_000;
const goodbyeMs = 2_000;
/** Of one agent, not of all that this process brings to the relay. */
const ofOneAgent = ['AGENT_RELAY_ID', 'AGENT_RELAY_LABEL', 'AGENT_RELAY_AGENT_ID'];

/**
 * A conversation that a person has in plain `codex`, as an agent of the relay: it gets its mail beside what is being typed. What Codex asks stays the
 * person's.
 *
 * States: *present* from the start, at the relay while that is there; *gone* after `close()`, which leaves the conversation as it is.
 */
export class LiveSession implements MailThreads {
  readonly agentId: string;
  readonly #options: LiveSessionOptions;
  readonly #presence: AgentPresence;
  readonly #mail: MailLine;
  readonly #changed = new Bell();
  readonly #closing = new AbortController();
  #isBusy: boolean;
  #joined: CodexThread | undefined;
  #introduced: Promise<void> | undefined;

  /** @throws RelayError as `agentIdentity` does. */
  constructor(options: LiveSessionOptions) {
    this.#options = options;
    this.#isBusy = options.isActive;
    const { client, threadId, cwd, env, tell } = options;
    const identity: AgentIdentity = agentIdentity({
      cwd,
      env: Object.fromEntries(Object.entries(env).filter(([name]) => !ofOneAgent.includes(name))),
      sessionKey: threadId,
      provider: 'codex',
      defaults: { tags: ['codex'] },
    });
    this.agentId = identity.id;
    const context = new ContextNote(env, identity.id);
    this.#mail = new MailLine({ codex: client, threads: () => this, onError: this.#onError, isContinued: true, context });
    this.#presence = new AgentPresence({
      env,
      identity,
      onAttached: (attached) => void this.#attachedTo(attached).catch(this.#onError),
      onAway: (reason) => tell(`${this.agentId} is not at the relay: ${reason}`),
      onProxy: tell,
      onReplaced: () => tell(`${this.agentId} is another session now; it is this conversation again once that has ended.`),
    });
    if (this.#isBusy) this.#presence.setStatus('busy');
    void this.#join().catch(this.#onError);
  }

  get joined(): CodexThread | undefined {
    return this.#joined;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  async current(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    this.#introduced ??= this.#introduce();
    // What failed is tried again with the next mail.
    await this.#introduced.catch((error: unknown) => {
      this.#introduced = undefined;
      throw error;
    });
    return this.#options.threadId;
  }

  async idle(signal: AbortSignal): Promise<void> {
    while (this.#isBusy) {
      signal.throwIfAborted();
      await this.#changed.next({ signal });
    }
    signal.throwIfAborted();
  }

  expectTurn(_threadId: string, isExpected: boolean): void {
    if (isExpected) this.#isBusy = true;
    else this.settle();
  }

  settle(): void {
    if (this.#isBusy && this.#joined?.activeTurnId === undefined) this.setActive(false);
  }

  /** What the server says of the conversation to everybody. */
  setActive(isActive: boolean): void {
    this.#isBusy = isActive;
    this.#changed.ring();
    this.#presence.setStatus(isActive ? 'busy' : 'idle');
    if (isActive) void this.#join().catch(this.#onError);
  }

  /** Says offline. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    const { client, env, threadId } = this.#options;
    await this.#presence.close();
    forgetSession(env, threadId);
    if (this.#joined) await this.#leave();
    else client.forgetThread(threadId);
  }

  async #leave(): Promise<void> {
    const { client, threadId } = this.#options;
    client.forgetThread(threadId);
    // Else the server would keep it in memory for us.
    const request = () => client.request('thread/unsubscribe', { threadId }, { timeoutMs: goodbyeMs });
    if (!client.isClosed) await settlesWithin(request(), goodbyeMs);
  }

  async #attachedTo(attached: AgentAtRelay): Promise<void> {
    // Where nothing can be written its mail comes all the same.
    await this.#write(attached).catch(this.#onError);
    await this.#mail.run(attached, this.#closing.signal);
  }

  /** For the session's tools and shells, and so that its hooks leave the mail to us. */
  async #write({ url, token, handle }: AgentAtRelay): Promise<void> {
    const { env, threadId } = this.#options;
    const { id: agentId, instanceId, epoch } = handle;
    const liveStartedAt = (await processIdentity(process.pid))?.startedAt;
    // Forgotten already.
    if (this.#closing.signal.aborted) return;
    writeSession(env, threadId, { agentId, url, token, instanceId, epoch, livePid: process.pid, liveStartedAt });
  }

  /** With its first mail: whoever gets none is told nothing. */
  async #introduce(): Promise<void> {
    const { client, env, threadId } = this.#options;
    const { attached } = this.#presence;
    if (!attached) throw new RelayError('connection_closed', 'The relay is away');
    const text = sessionText({
      agentId: this.agentId,
      url: attached.url,
      serverVersion: attached.version,
      approval: await approvalNow(attached),
      command: await sessionCommand(env, 'agent-relay-codex run'),
    });
    const items = [{ type: 'message', role: 'developer', content: [{ type: 'input_text', text }] }];
    await client.request('thread/inject_items', { threadId, items });
  }

  /** One that has had no turn yet is joined with its first. */
  async #join(): Promise<void> {
    const { signal } = this.#closing;
    for (let waitedMs = 0; waitedMs < joinForMs && !this.#joined && !signal.aborted; waitedMs += 50) {
      await this.#tryToJoin();
      if (!this.#joined) await sleep(50, { signal });
    }
  }

  async #tryToJoin(): Promise<void> {
    const { client, threadId } = this.#options;
    // Answered by the person at the terminal; who never settles says nothing in their place.
    const onRequest = () => new Promise(() => {});
    const thread = await client.resumeThread(threadId, {}, { onRequest, recovery: this.#mail.recovery }).catch(() => undefined);
    if (!thread) return;
    // Closed meanwhile, and who comes after it could not join.
    if (this.#closing.signal.aborted) return this.#leave();
    this.#joined = thread;
    for (const { item, turnId } of await thread.listItems().catch(() => [])) this.#item(item.known, turnId);
    void (async () => {
      for await (const notification of thread.notifications) this.#receive(notification);
    })().catch(this.#onError);
  }

  #receive(notification: CodexNotification): void {
    const known = parseNotification(notification);
    if (known?.method === 'thread/status/changed') this.setActive(known.params.status.type === 'active');
    if (known?.method === 'item/completed') this.#item(known.params.item.known, known.params.turnId);
    if (known?.method !== 'turn/completed') return;
    this.#mail.turnEnded(known.params.turn.id, known.params.turn.status === 'completed');
    // What the server says of the whole thread may be missed.
    this.settle();
  }

  #item(item: { readonly type: string; readonly clientId?: string | null | undefined } | undefined, turnId: string): void {
    if (item?.type === 'userMessage' && typeof item.clientId === 'string') this.#mail.echoed(item.clientId, turnId);
  }

  readonly #onError = (error: unknown): void => {
    if (this.#closing.signal.aborted || this.#options.client.isClosed) return;
    this.#options.tell(`${this.agentId}: ${messageOf(error)}`);
  };
}
