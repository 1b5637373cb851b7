import { randomUUID } from 'node:crypto';
import { type AgentEvent, type ApprovalMode, RelayError, type SpawnMode } from 'agent-relay-protocol';
import { type AgentSession, type PromptInput, type PromptOptions, RecentSet, SessionEvents } from 'agent-relay-provider';
import { withTimeout } from 'agent-relay-wire';
import type { CodexThread } from '../app-server/codex-thread.ts';
import { isConnectionLost, isUnsupported } from '../app-server/errors.ts';
import { type CodexNotification, parseNotification } from '../app-server/notifications.ts';
import type { ServerRequest } from '../app-server/server-requests.ts';
import { answerApproval } from './answer-approval.ts';
import { DeliveryEvidence } from './delivery-evidence.ts';
import { isMailRestricted, turnPolicy } from './session-policy.ts';
import { SilenceWatch } from './silence-watch.ts';
import { CodexTranslator } from './translator.ts';

export interface CodexSessionOptions {
  readonly cwd: string;
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly relayServers: ReadonlySet<string>;
  readonly isExperimental: boolean;
  readonly silenceLimitMs: number;
  /** Gives the server back. */
  readonly release: () => Promise<void>;
}

interface Held {
  readonly input: PromptInput;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** How the vendor's process or connection ended. */
export interface SessionLoss {
  readonly reason: 'exited' | 'crashed' | 'lost';
  readonly detail: string;
  readonly exitCode?: number;
}

const goodbyeMs = 2_000;

/**
 * One agent: a thread of a shared server.
 *
 * States: *open* from `begin` on; *ended* by `close()` or `lose()`. While open it is *idle* or *busy* with the thread's turn; what must not
 * join a running turn is *held* until that turn is over, oldest first, and what comes after it waits behind it.
 */
export class CodexSession implements AgentSession {
  readonly events: SessionEvents;
  readonly #options: CodexSessionOptions;
  readonly #evidence = new DeliveryEvidence();
  readonly #translator: CodexTranslator;
  readonly #silence: SilenceWatch;
  readonly #editedPaths = new Map<string, readonly string[]>();
  readonly #mailTurns = new RecentSet<string>(256);
  readonly #held: Held[] = [];
  readonly #turnEndWaiters = new Set<() => void>();
  readonly #observers: (() => void)[] = [];
  #observedCount = 0;
  #thread: CodexThread | undefined;
  #sending: Promise<unknown> = Promise.resolve();
  #canQueue: boolean;
  /** What is held does not slip in between an interrupt and the prompt that asked for it. */
  #urgentWaiting = 0;
  #closing: Promise<void> | undefined;

  constructor(options: CodexSessionOptions) {
    this.#options = options;
    this.#canQueue = options.isExperimental;
    this.events = new SessionEvents({ cwd: options.cwd });
    this.#translator = new CodexTranslator({
      relayServers: options.relayServers,
      messageIdsOf: (clientId) => this.#evidence.messageIdsOf(clientId),
    });
    this.#silence = new SilenceWatch(options.silenceLimitMs, (silentMs) => this.#reportSilence(silentMs));
  }

  get vendorSessionId(): string | null {
    return this.#thread?.id ?? null;
  }

  get model(): string | null {
    return this.#thread?.model ?? null;
  }

  /** Takes the thread over; its notifications are read from here on. */
  begin(thread: CodexThread, version: string): void {
    this.#thread = thread;
    const { model } = thread;
    this.events.emit({
      type: 'session.started',
      vendorSessionId: thread.id,
      cwd: this.#options.cwd,
      version,
      ...(model === null ? {} : { model }),
    });
    this.events.emit({ type: 'session.status', status: 'idle' });
    void this.#read(thread);
  }

  async prompt(input: PromptInput, { mode }: PromptOptions): Promise<void> {
    const thread = this.#openThread();
    if (mode === 'urgent') await this.#urgent(thread, input);
    else if (mode === 'fyi') await this.#inOrder(() => this.#inject(thread, input));
    else
      await this.#inOrder(() =>
        mode === 'now' && this.#mayJoin(thread, input) ? this.#startTurn(thread, input) : this.#next(thread, input),
      );
  }

  async interrupt(): Promise<boolean> {
    const thread = this.#openThread();
    const wasRunning = await this.#stopTurn(thread);
    // An interrupt stops Codex's queue as well, and nothing but another turn would start it again.
    if (wasRunning && this.#canQueue && this.#evidence.unconfirmedClientIds.size > 0) await this.#ifSupported(() => thread.startQueue());
    return wasRunning;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The server or the connection is gone. */
  lose(loss: SessionLoss): void {
    this.events.end(loss);
    this.#end();
    this.#closing ??= this.#options.release();
    this.#closing.catch(() => {}); // whoever calls `close()` hears of it
  }

  /** Answers what Codex asks about this thread. */
  readonly answerRequest = async (request: ServerRequest): Promise<object> => {
    // Requests overtake the notifications that say what they are about.
    await this.#observedAll(this.#thread?.receivedCount ?? 0);
    const { response, events } = answerApproval(request, { pathsOf: (itemId) => this.#editedPaths.get(itemId) ?? [] });
    for (const event of events) this.#emit(event);
    return response;
  };

  async #close(): Promise<void> {
    const thread = this.#thread;
    const unconfirmed = this.#evidence.unconfirmedClientIds;
    this.events.end({ reason: 'closed' });
    this.#end();
    try {
      if (thread) await withTimeout(() => this.#leave(thread, unconfirmed), goodbyeMs, { what: 'farewell to the thread' });
    } catch {
      // A server that no longer answers, or a thread without a turn that was never stored: giving it back ends what can be ended.
    } finally {
      await this.#options.release();
    }
  }

  async #leave(thread: CodexThread, unconfirmed: ReadonlySet<string>): Promise<void> {
    // What was not read is the relay's to deliver again: left in Codex's queue, a person who resumes the thread would get it twice.
    if (this.#canQueue && unconfirmed.size > 0) await this.#ifSupported(() => thread.dequeue(unconfirmed));
    if (await thread.interrupt()) await thread.cleanBackgroundTerminals();
    await thread.unload();
  }

  #end(): void {
    this.#silence.rest();
    const error = new RelayError('connection_closed', 'The Codex session has ended');
    for (const { reject } of this.#held.splice(0)) reject(error);
    this.#wakeTurnEndWaiters();
    this.#wakeObservers();
  }

  #openThread(): CodexThread {
    if (this.#thread && !this.events.isEnded) return this.#thread;
    throw new RelayError('connection_closed', 'The Codex session has ended');
  }

  /** One verb at a time, so that two prompts for an idle thread become a turn and one that waits for it. */
  async #inOrder(send: () => Promise<(() => Promise<void>) | undefined>): Promise<void> {
    const sent = this.#sending.then(send);
    this.#sending = sent.catch(() => {});
    try {
      const wait = await sent;
      await wait?.();
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  async #urgent(thread: CodexThread, input: PromptInput): Promise<void> {
    this.#urgentWaiting += 1;
    try {
      await this.#stopTurn(thread);
      await this.#inOrder(() => this.#startTurn(thread, input));
    } finally {
      this.#urgentWaiting -= 1;
      this.#startHeld(thread);
    }
  }

  /** At the next turn boundary: at once when idle, else through Codex's queue, else held here. */
  async #next(thread: CodexThread, input: PromptInput): Promise<(() => Promise<void>) | undefined> {
    const isBusy = thread.activeTurnId !== undefined;
    if (!isBusy && this.#held.length === 0) return await this.#startTurn(thread, input);
    // A queued turn inherits the last turn's rights, which are the right ones only when all turns have the same.
    const maySkipHolding = this.#canQueue && this.#held.length === 0 && !isMailRestricted(this.#options.mode, this.#options.approval);
    if (maySkipHolding && (await this.#ifSupported(() => this.#submit(input, (turn) => thread.enqueue(turn))))) return undefined;
    return () => this.#hold(thread, input);
  }

  #hold(thread: CodexThread, input: PromptInput): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#held.push({ input, resolve, reject });
      // The turn may have ended while we asked for a place in the queue.
      if (thread.activeTurnId === undefined) this.#startHeld(thread);
    });
  }

  #startHeld(thread: CodexThread): void {
    const [next] = this.#held;
    if (!next || this.#urgentWaiting > 0 || thread.activeTurnId !== undefined || this.events.isEnded) return;
    this.#held.shift();
    this.#inOrder(() => this.#startTurn(thread, next.input)).then(next.resolve, next.reject);
  }

  /** Starts a turn, or joins the one that is running. */
  async #startTurn(thread: CodexThread, input: PromptInput): Promise<undefined> {
    const isMail = input.messageIds.length > 0;
    const policy = turnPolicy({ mode: this.#options.mode, approval: this.#options.approval, isMail });
    await this.#submit(input, async (turn) => {
      const turnId = await thread.startTurn({ ...turn, ...policy });
      if (isMail) this.#mailTurns.add(turnId);
    });
    return undefined;
  }

  async #submit(input: PromptInput, send: (turn: { text: string; clientUserMessageId: string }) => Promise<void>): Promise<void> {
    this.#openThread();
    const clientUserMessageId = `relay-${randomUUID()}`;
    // Before it is sent, because the echo may be here before the answer.
    this.#evidence.expect(clientUserMessageId, input.messageIds);
    try {
      await send({ text: input.text, clientUserMessageId });
    } catch (error) {
      this.#evidence.forget(clientUserMessageId);
      throw error;
    }
  }

  async #inject(thread: CodexThread, input: PromptInput): Promise<undefined> {
    this.#openThread();
    await thread.injectUserText(input.text);
    for (const event of this.#evidence.injected(input.messageIds)) this.#emit(event);
    return undefined;
  }

  /** Restricted mail must not lend itself the rights of another turn, nor another prompt its rights to a turn of mail. */
  #mayJoin(thread: CodexThread, { messageIds }: PromptInput): boolean {
    const { activeTurnId } = thread;
    if (activeTurnId === undefined || !isMailRestricted(this.#options.mode, this.#options.approval)) return true;
    return messageIds.length > 0 === this.#mailTurns.has(activeTurnId);
  }

  /** Ends the running turn and its command; resolves when Codex has said that it is over. */
  async #stopTurn(thread: CodexThread): Promise<boolean> {
    // A turn whose start is on its way is a running one.
    await this.#sending;
    if (thread.activeTurnId === undefined) return false;
    try {
      if (!(await thread.interrupt())) return false;
      await this.#untilIdle(thread);
      await thread.cleanBackgroundTerminals();
      return true;
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  async #untilIdle(thread: CodexThread): Promise<void> {
    if (thread.activeTurnId === undefined || this.events.isEnded) return;
    await new Promise<void>((resolve) => this.#turnEndWaiters.add(resolve));
  }

  async #ifSupported(ask: () => Promise<void>): Promise<boolean> {
    try {
      await ask();
      return true;
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      this.#canQueue = false;
      return false;
    }
  }

  async #read(thread: CodexThread): Promise<void> {
    try {
      for await (const notification of thread.notifications) {
        this.#observe(thread, notification);
        this.#observedCount += 1;
        this.#wakeObservers();
        await this.events.room();
      }
      if (!this.events.isEnded) this.lose({ reason: 'lost', detail: 'The connection to the Codex app-server was lost' });
    } catch (error) {
      this.lose({ reason: 'lost', detail: error instanceof Error ? error.message : String(error) });
    }
  }

  async #observedAll(count: number): Promise<void> {
    while (this.#observedCount < count && !this.events.isEnded) {
      await new Promise<void>((resolve) => this.#observers.push(resolve));
    }
  }

  #wakeObservers(): void {
    for (const resolve of this.#observers.splice(0)) resolve();
  }

  #observe(thread: CodexThread, notification: CodexNotification): void {
    const known = parseNotification(notification);
    if (known?.method === 'item/started' && known.params.item.known?.type === 'fileChange') {
      this.#editedPaths.set(
        known.params.item.id,
        known.params.item.known.changes.map(({ path }) => path),
      );
    }
    this.#watchSilence(notification.method, known?.method === 'item/started' ? known.params.item.type : undefined);
    for (const event of this.#translator.translate(notification)) this.#emit(event);
    for (const event of this.#evidence.observe(notification)) this.#emit(event);
    if (known?.method !== 'turn/completed') return;
    this.#editedPaths.clear();
    this.#wakeTurnEndWaiters();
    this.#startHeld(thread);
  }

  #watchSilence(method: string, startedItem: string | undefined): void {
    const isModelSpeaking = startedItem === 'userMessage' || startedItem === 'agentMessage' || startedItem === 'reasoning';
    if (method === 'turn/completed' || (startedItem !== undefined && !isModelSpeaking)) this.#silence.rest();
    else if (this.#thread?.activeTurnId !== undefined && /^(?:turn|item|error)/u.test(method) && !method.includes('outputDelta'))
      this.#silence.listen();
  }

  #reportSilence(silentMs: number): void {
    const message = `The model has said nothing for ${Math.round(silentMs / 1000)} s; Codex goes on waiting. Is it logged in, and is there a network?`;
    this.#emit({ type: 'agent.error', code: 'model_silent', message, willRetry: true });
  }

  #emit(event: AgentEvent): void {
    if (event.type !== 'session.ended') this.events.emit(event);
  }

  #wakeTurnEndWaiters(): void {
    for (const resolve of this.#turnEndWaiters) resolve();
    this.#turnEndWaiters.clear();
  }

  #refusal(error: unknown): RelayError {
    if (this.events.isEnded || isConnectionLost(error))
      return new RelayError('connection_closed', 'The Codex session has ended', { cause: error });
    const said = error instanceof Error ? error.message : String(error);
    return new RelayError('provider_unavailable', `Codex refused the message: ${said}`, { cause: error });
  }
}
