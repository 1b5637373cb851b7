import { type AgentEvent, messageOf, RelayError } from 'agent-relay-protocol';
import {
  type AgentSession,
  type ApprovalDecision,
  deliveryOf,
  type EndOfSession,
  isMailRestricted,
  type LiveEvent,
  type PromptInput,
  type PromptOptions,
  SessionEvents,
  type StartOptions,
} from 'agent-relay-provider';
import { Bell, withTimeout } from 'agent-relay-wire';
import type { CodexThread } from '../app-server/codex-thread.ts';
import { isConnectionLost } from '../app-server/errors.ts';
import type { ThreadItem } from '../app-server/items.ts';
import { type CodexNotification, type KnownNotification, parseNotification, parseSubAgent } from '../app-server/notifications.ts';
import type { ServerRequest } from '../app-server/server-requests.ts';
import type { FoundMessage } from '../app-server/thread-history.ts';
import type { ThreadRecovery } from '../app-server/thread-recovery.ts';
import { clientIdOf } from './client-ids.ts';
import type { EarlierPrompt } from './earlier-conversation.ts';
import { PromptLedger } from './prompt-ledger.ts';
import { PromptLine } from './prompt-line.ts';
import { type AnswerRules, SessionAnswers } from './session-answers.ts';
import { SilenceWatch } from './silence-watch.ts';
import { CodexTranslator } from './translator.ts';

export interface CodexSessionOptions extends AnswerRules {
  readonly approvalTimeoutMs: number | undefined;
  readonly whenUnread?: StartOptions['whenUnread'];
  readonly isExperimental: boolean;
  readonly silenceLimitMs: number;
  /** Which server runs it, and why that one. */
  readonly runtime: string;
  /** Looks for a prompt in a conversation that the session does not go on with. */
  readonly findInEarlier: (threadId: string, prompt: EarlierPrompt) => Promise<FoundMessage | undefined>;
  /** Gives the server back. */
  readonly release: () => Promise<void>;
}

interface Running {
  readonly thread: CodexThread;
  readonly line: PromptLine;
  readonly version: string;
  /** The thread's id as it was told last. */
  toldId: string;
}

const goodbyeMs = 2_000;
const loginExpired =
  'Codex is not logged in any more on this machine: run `codex login` there. The turn is tried again once the server says that somebody has.';
const goOn = 'The login that was missing is there again. Please go on with what you were asked.';

/**
 * One agent: a thread of a shared server.
 *
 * States: *starting* until `begin`; *open* from then on; *ended* by `close()` or `lose()`.
 */
export class CodexSession implements AgentSession {
  readonly events: SessionEvents;
  readonly #options: CodexSessionOptions;
  readonly #ledger = new PromptLedger();
  readonly #translator: CodexTranslator;
  readonly #silence: SilenceWatch;
  readonly #answers: SessionAnswers;
  readonly #observations = new Bell();
  #observedCount = 0;
  /** The turn that failed for want of a login. */
  #loggedOut: { readonly isMail: boolean } | undefined;
  #running: Running | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: CodexSessionOptions) {
    this.#options = options;
    this.events = new SessionEvents({ cwd: options.cwd, approvalTimeoutMs: options.approvalTimeoutMs, whenUnread: options.whenUnread });
    this.#translator = new CodexTranslator({
      relayServers: options.relayServers,
      messageIdsOf: (clientId) => this.#ledger.messageIdsOf(clientId),
    });
    this.#answers = new SessionAnswers({
      rules: options,
      events: this.events,
      running: () => this.#running,
      caughtUp: () => this.#observedAll(this.#running?.thread.receivedCount ?? 0),
    });
    this.#silence = new SilenceWatch(options.silenceLimitMs, (silentMs) => this.#reportSilence(silentMs));
  }

  get vendorSessionId(): string | null {
    return this.#running?.thread.id ?? null;
  }

  get model(): string | null {
    return this.#running?.thread.model ?? null;
  }

  /** Takes the thread over; its notifications are read from here on. */
  begin(thread: CodexThread, version: string): void {
    const { mode, approval, ask, isExperimental } = this.#options;
    const onRefused = (error: unknown) => this.#reportRefusal(error);
    const line = new PromptLine({ thread, ledger: this.#ledger, mode, approval, ask, canQueue: isExperimental, onRefused });
    this.#running = { thread, line, version, toldId: thread.id };
    this.#tellStart(this.#running);
    this.events.emit({ type: 'session.status', status: 'idle' });
    void this.#read(thread, line);
  }

  async prompt(input: PromptInput, { mode, promptId, isRepeat = false, handedTo = [] }: PromptOptions): Promise<void> {
    const { line } = this.#open();
    try {
      if (
        isRepeat &&
        promptId !== undefined &&
        ((await this.#isThere(input, promptId)) || (await this.#wasRead(input, promptId, handedTo)))
      )
        return;
      switch (deliveryOf(input, mode, this.#options)) {
        case 'next':
          return await line.next(input, promptId);
        case 'now':
          return await line.now(input, promptId);
        case 'urgent':
          return await line.urgent(input, promptId);
        case 'fyi':
          await line.inject(input);
          for (const event of this.#ledger.injected(input.messageIds)) this.#emit(event);
      }
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  /** Whether relay mail began this turn, and Codex asks for all that it would change. */
  isReadOnlyTurn(turnId: string): boolean {
    const { mode, approval } = this.#options;
    return isMailRestricted(mode, approval) && this.#running?.line.isMailTurn(turnId) === true;
  }

  async interrupt(): Promise<boolean> {
    const { line } = this.#open();
    try {
      return await line.interrupt();
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The server or the connection is gone. */
  lose(end: EndOfSession): void {
    this.events.end(end);
    this.#settle();
    this.#closing ??= this.#options.release();
    this.#closing.catch(() => {}); // whoever calls `close()` hears of it
  }

  /** The server died: what it had taken of this session's prompts and not repeated is looked for, and goes again where it is not found. */
  readonly recovery: ThreadRecovery = {
    unconfirmed: () => new Set(this.#ledger.unconfirmed.map(({ clientUserMessageId }) => clientUserMessageId)),
    textOf: (id) => this.#ledger.textOf(id),
    forgotten: (found) => this.#running?.line.forgotten(found),
    resumed: () => {
      const running = this.#running;
      if (!running) return;
      if (running.toldId !== running.thread.id) this.#tellStart(running);
      running.line.turnEnded();
    },
  };

  /** Answers what Codex asks about this thread. */
  readonly answerRequest = (request: ServerRequest): Promise<object> => this.#answers.answer(request);

  async resolveApproval(approvalId: string, decision: ApprovalDecision): Promise<boolean> {
    this.#open();
    return this.events.approvals.resolve(approvalId, decision);
  }

  tell(events: readonly LiveEvent[]): void {
    for (const event of events) this.#emit(event);
  }

  /** The turn that failed for want of a login is tried again, with the rights that it had. */
  accountRefreshed(): void {
    const failed = this.#loggedOut;
    this.#loggedOut = undefined;
    if (!failed || this.events.isEnded) return;
    const { line } = this.#open();
    line.next({ text: goOn, messageIds: [], isMail: failed.isMail }).catch((error: unknown) => this.#reportRefusal(error));
  }

  /** Tells of a prompt that an earlier session had handed over, where it came into the conversation. */
  async #isThere({ text, messageIds }: PromptInput, promptId: string): Promise<boolean> {
    const found = await this.#open().thread.findMessage(clientIdOf({ messageIds }, promptId), { text });
    if (found === undefined) return false;
    this.#emit({ type: 'user.message', turnId: found.entry.turnId, text, messageIds: [...messageIds] });
    for (const event of this.#ledger.found(messageIds, found.wasRead)) this.#emit(event);
    return true;
  }

  /** As `#isThere`, of conversations that this session does not go on with: nothing of them is shown as said to it. */
  async #wasRead({ text, messageIds }: PromptInput, promptId: string, conversations: readonly string[]): Promise<boolean> {
    for (const threadId of conversations) {
      const found = await this.#options.findInEarlier(threadId, { clientUserMessageId: clientIdOf({ messageIds }, promptId), text });
      if (found === undefined) continue;
      for (const event of this.#ledger.found(messageIds, found.wasRead)) this.#emit(event);
      return true;
    }
    return false;
  }

  #loginExpired(turnId: string): void {
    const isNews = this.#loggedOut === undefined;
    this.#loggedOut = { isMail: this.#running?.line.isMailTurn(turnId) !== false };
    if (isNews) this.#emit({ type: 'agent.error', code: 'login_expired', message: loginExpired, willRetry: true });
  }

  async #close(): Promise<void> {
    this.events.end({ reason: 'closed' });
    this.#settle();
    try {
      const running = this.#running;
      if (running) await withTimeout(() => this.#leave(running), goodbyeMs, { what: 'farewell to the thread' });
    } catch {
      // A server that no longer answers, or a thread that never had a turn to be stored: giving it back ends what can be ended.
    } finally {
      await this.#options.release();
    }
  }

  async #leave({ thread, line }: Running): Promise<void> {
    await line.takeBack();
    if (await thread.interrupt()) await thread.cleanBackgroundTerminals();
    await thread.unload();
  }

  /** Whoever waits for something of this session waits no longer. */
  #settle(): void {
    this.#silence.rest();
    this.#running?.line.end(this.#endedError());
    this.#observations.ring();
  }

  #open(): Running {
    if (this.#running && !this.events.isEnded) return this.#running;
    throw this.#endedError();
  }

  async #read(thread: CodexThread, line: PromptLine): Promise<void> {
    try {
      for await (const notification of thread.notifications) {
        this.#observe(thread, notification);
        if (notification.method === 'turn/completed') line.turnEnded();
        this.#observedCount += 1;
        this.#observations.ring();
        await this.events.room();
      }
      if (!this.events.isEnded) this.lose({ reason: 'lost', detail: 'The connection to the Codex app-server was lost' });
    } catch (error) {
      this.lose({ reason: 'lost', detail: messageOf(error) });
    }
  }

  #observe(thread: CodexThread, notification: CodexNotification): void {
    const known = parseNotification(notification);
    const started = startedItem(known);
    const ofSubAgent = known?.method === 'client/subAgent' ? startedItem(parseSubAgent(known)) : undefined;
    for (const item of [started, ofSubAgent]) this.#answers.note(item);
    this.#watchSilence(thread, notification.method, started?.type);
    for (const event of this.#translator.translate(notification)) {
      this.#emit(event);
      if (event.type === 'turn.failed' && event.error.code === 'unauthorized') this.#loginExpired(event.turnId);
    }
    for (const event of this.#ledger.observe(notification)) this.#emit(event);
    if (known?.method === 'turn/completed') this.#options.tools?.turnEnded(known.params.turn.id);
    if (known?.method === 'client/attachedElsewhere' && !known.params.isElsewhere) this.#running?.line.turnEnded();
  }

  async #observedAll(count: number): Promise<void> {
    while (this.#observedCount < count && !this.events.isEnded) await this.#observations.next();
  }

  #watchSilence(thread: CodexThread, method: string, startedItem: string | undefined): void {
    const isModelsTurn =
      startedItem === undefined || startedItem === 'userMessage' || startedItem === 'agentMessage' || startedItem === 'reasoning';
    if (method === 'turn/completed' || !isModelsTurn) this.#silence.rest();
    // A tool that prints something is still running.
    else if (thread.activeTurnId !== undefined && /^(?:turn|item|error)/u.test(method) && !method.includes('outputDelta'))
      this.#silence.listen();
  }

  #reportSilence(silentMs: number): void {
    const message = `The model has said nothing for ${Math.round(silentMs / 1000)} s; Codex goes on waiting. Is it logged in, and is there a network?`;
    this.#emit({ type: 'agent.error', code: 'model_silent', message, willRetry: true });
  }

  #tellStart(running: Running): void {
    const { thread, version } = running;
    running.toldId = thread.id;
    const { cwd, runtime } = this.#options;
    const model = thread.model === null ? {} : { model: thread.model };
    this.events.emit({ type: 'session.started', vendorSessionId: thread.id, cwd, version, runtime, ...model });
  }

  #reportRefusal(error: unknown): void {
    this.#emit({ type: 'agent.error', code: 'provider_unavailable', message: this.#refusal(error).message, willRetry: false });
  }

  #emit(event: AgentEvent): void {
    if (event.type !== 'session.ended') this.events.emit(event);
  }

  #refusal(error: unknown): RelayError {
    if (this.events.isEnded || isConnectionLost(error)) return this.#endedError(error);
    if (error instanceof RelayError && error.code === 'provider_unavailable') return error;
    const said = messageOf(error);
    return new RelayError('provider_unavailable', `Codex refused the message: ${said}`, { cause: error });
  }

  #endedError(cause?: unknown): RelayError {
    return new RelayError('connection_closed', 'The Codex session has ended', cause === undefined ? {} : { cause });
  }
}

const startedItem = (known: KnownNotification | undefined): ThreadItem | undefined =>
  known?.method === 'item/started' ? known.params.item : undefined;
