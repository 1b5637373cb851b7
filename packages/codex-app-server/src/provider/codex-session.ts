import { type AgentEvent, type ApprovalMode, RelayError, type SpawnMode } from 'agent-relay-protocol';
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
import { Bell, RecentMap, withTimeout } from 'agent-relay-wire';
import type { CodexThread } from '../app-server/codex-thread.ts';
import { isConnectionLost } from '../app-server/errors.ts';
import type { ThreadItem } from '../app-server/items.ts';
import { type CodexNotification, type KnownNotification, parseNotification, parseSubAgent } from '../app-server/notifications.ts';
import { type ServerRequest, turnIdOf } from '../app-server/server-requests.ts';
import type { ThreadRecovery } from '../app-server/thread-recovery.ts';
import { readApproval } from './answer-approval.ts';
import { type CodexApproval, offersYes, replyTo, turnGoesOn } from './approval-choices.ts';
import { type FileUpdate, readChanges } from './approval-schemas.ts';
import { PromptLedger } from './prompt-ledger.ts';
import { PromptLine } from './prompt-line.ts';
import { judgeRelayCall } from './relay-call.ts';
import { type ClientTools, readToolCall, toolAnswer, toolCallMethod } from './relay-tools.ts';
import { mayAsk } from './session-policy.ts';
import { SilenceWatch } from './silence-watch.ts';
import { CodexTranslator } from './translator.ts';

export interface CodexSessionOptions {
  readonly cwd: string;
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly ask: boolean;
  readonly approvalTimeoutMs: number | undefined;
  readonly whenUnread?: StartOptions['whenUnread'];
  readonly relayServers: ReadonlySet<string>;
  /** What Codex asks the session to run. */
  readonly tools?: ClientTools | undefined;
  readonly isExperimental: boolean;
  readonly silenceLimitMs: number;
  /** Which server runs it, and why that one. */
  readonly runtime: string;
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
  readonly #edits = new RecentMap<string, readonly FileUpdate[]>(256);
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

  async prompt(input: PromptInput, { mode }: PromptOptions): Promise<void> {
    const { line } = this.#open();
    try {
      switch (deliveryOf(input, mode, this.#options)) {
        case 'next':
          return await line.next(input);
        case 'now':
          return await line.now(input);
        case 'urgent':
          return await line.urgent(input);
        case 'fyi':
          await line.inject(input);
          for (const event of this.#ledger.injected(input.messageIds)) this.#emit(event);
      }
    } catch (error) {
      throw this.#refusal(error);
    }
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
    forgotten: (found) => this.#running?.line.forgotten(found),
    resumed: () => {
      const running = this.#running;
      if (!running) return;
      if (running.toldId !== running.thread.id) this.#tellStart(running);
      running.line.turnEnded();
    },
  };

  /** Answers what Codex asks about this thread. */
  readonly answerRequest = async (request: ServerRequest): Promise<object> => {
    // Requests overtake the notifications that say what they are about.
    await this.#observedAll(this.#running?.thread.receivedCount ?? 0);
    if (request.method === toolCallMethod) return this.#runTool(request);
    const { cwd } = this.#options;
    const approval = askedIn(request, readApproval(request, { cwd, changesOf: (itemId) => this.#edits.get(itemId) ?? [] }));
    const turnId = turnIdOf(request) ?? this.#running?.thread.activeTurnId;
    const relayCall = this.#judgeRelayCall(approval.call, turnId);
    if (relayCall !== null) {
      if (relayCall.remark === null) return approval.call?.allow ?? approval.deny;
      await this.#remark(request, relayCall.remark);
      return approval.deny;
    }
    const isMailTurn = turnId === undefined || this.#running?.line.mayBeMailTurn(turnId) !== false;
    if (!offersYes(approval.choices) || !mayAsk(approval.use, this.#options, isMailTurn)) return this.#declineByMode(request, approval);
    return this.#askPerson(approval, request);
  };

  async #askPerson({ question, use, choices, deny }: CodexApproval, request: ServerRequest): Promise<object> {
    const verdict = await this.events.approvals.ask({ ...question, options: choices.map(({ option }) => option) }, request.signal);
    // Codex tells its model that a person said no, and has no place for why; to a question the answer says it.
    if (verdict.outcome === 'denied' && use.kind !== 'question' && turnGoesOn(choices, verdict))
      await this.#remark(request, `${question.title}: ${verdict.message}`);
    return replyTo(choices, deny, verdict);
  }

  /** A sub-agent's model is not reached by a word in the turn that started it. */
  async #remark({ startedBy }: ServerRequest, text: string): Promise<void> {
    if (startedBy === undefined) await this.#running?.line.remark(text);
  }

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

  #loginExpired(turnId: string): void {
    const isNews = this.#loggedOut === undefined;
    this.#loggedOut = { isMail: this.#running?.line.isMailTurn(turnId) !== false };
    if (isNews) this.#emit({ type: 'agent.error', code: 'login_expired', message: loginExpired, willRetry: true });
  }

  async #runTool(request: ServerRequest): Promise<object> {
    const { tools, mode, approval } = this.#options;
    const call = readToolCall(request);
    const judged = isMailRestricted(mode, approval) ? this.#judgeRelayCall(call, turnIdOf(request)) : null;
    if (judged && judged.remark !== null) return toolAnswer(judged.remark, false);
    return (await tools?.call(call, request.signal)) ?? toolAnswer(`This session has no tool ${call.tool}.`, false);
  }

  #judgeRelayCall(call: Parameters<typeof judgeRelayCall>[0], turnId: string | undefined) {
    const isMailTurn = turnId !== undefined && this.#running?.line.isMailTurn(turnId) === true;
    return judgeRelayCall(call, { relayServers: this.#options.relayServers, isMailTurn });
  }

  /** Told as a question without options: nobody is asked. */
  #declineByMode({ id }: ServerRequest, { question, deny }: CodexApproval): object {
    const approvalId = `codex-${id}`;
    this.#emit({ ...question, type: 'approval.requested', approvalId, options: [] });
    this.#emit({ type: 'approval.resolved', approvalId, outcome: 'denied', by: 'policy' });
    return deny;
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
      this.lose({ reason: 'lost', detail: error instanceof Error ? error.message : String(error) });
    }
  }

  #observe(thread: CodexThread, notification: CodexNotification): void {
    const known = parseNotification(notification);
    const started = startedItem(known);
    const ofSubAgent = known?.method === 'client/subAgent' ? startedItem(parseSubAgent(known)) : undefined;
    for (const item of [started, ofSubAgent]) if (item?.known?.type === 'fileChange') this.#edits.set(item.id, readChanges(item.raw));
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
    const said = error instanceof Error ? error.message : String(error);
    return new RelayError('provider_unavailable', `Codex refused the message: ${said}`, { cause: error });
  }

  #endedError(cause?: unknown): RelayError {
    return new RelayError('connection_closed', 'The Codex session has ended', cause === undefined ? {} : { cause });
  }
}

const startedItem = (known: KnownNotification | undefined): ThreadItem | undefined =>
  known?.method === 'item/started' ? known.params.item : undefined;

/** What a sub-agent asks is asked in the turn that started it: its own is none of the session's. */
function askedIn({ startedBy }: ServerRequest, approval: CodexApproval): CodexApproval {
  return startedBy === undefined ? approval : { ...approval, question: { ...approval.question, turnId: startedBy.turnId } };
}
