import { RelayError } from 'agent-relay-protocol';
import { AsyncQueue } from 'agent-relay-wire';
import type { z } from 'zod';
import { missedNotifications } from './catch-up.ts';
import type { CodexRequester, CodexRequestOptions } from './codex-requester.ts';
import { isConnectionLost, isThreadUnknown, isTurnUnknown, isUnsupported, parseAnswer } from './errors.ts';
import { isOver, type LostEnd, turnEnd } from './lost-end.ts';
import {
  type ItemEntry,
  ItemsPage,
  QueuePage,
  type ResumeThreadParams,
  type StartTurnParams,
  StartTurnResult,
  SteerTurnResult,
  ThreadResult,
  TurnsPage,
  textInput,
} from './methods.ts';
import { type CodexNotification, type KnownNotification, parseNotification, type Turn } from './notifications.ts';
import type { AnswerServerRequest } from './server-requests.ts';
import { hasNoHistory, isNeverStored, onceStored } from './stored-history.ts';
import { idle, nextThreadState, type ThreadState } from './thread-state.ts';
import { TurnWatch } from './turn-watch.ts';

export interface ThreadOptions {
  /** Answers what Codex asks about this thread, such as approvals. Without it everything is refused. */
  readonly onRequest?: AnswerServerRequest;
}

interface NewThreadOptions extends ThreadOptions {
  readonly resumeParams: ResumeThreadParams;
  readonly isNew: boolean;
  readonly turnEndGraceMs: number;
}

export interface ThreadIdentity {
  readonly id: string;
  readonly model: string | null;
  readonly cwd: string | undefined;
}

/** Beyond this many unread notifications deltas are left out (the completed item holds the text); at the limit the thread is lost. */
const deltasUntil = 10_000;
const notificationLimit = 200_000;
const remembered = 4096;
const pageSize = 100;
/** Codex answers an interrupt within 50 ms; one that does not answer must not keep its agent. */
const interruptTimeoutMs = 10_000;

/** One conversation on a server. Its states are those of `ThreadState`; it survives reconnects of its client. */
export class CodexThread {
  readonly id: string;
  readonly model: string | null;
  readonly cwd: string | undefined;
  /** What happens in this thread, in order; iterated once. Ends when the thread is unloaded by us or the client is closed. */
  readonly notifications: AsyncIterable<CodexNotification>;
  readonly answerRequest: AnswerServerRequest;
  readonly #client: CodexRequester;
  readonly #resumeParams: ResumeThreadParams;
  readonly #queue = new AsyncQueue<CodexNotification>({ limit: notificationLimit, overflow: 'error' });
  readonly #completedItems = new Set<string>();
  readonly #completedTurns = new Set<string>();
  /** `undefined` until a turn of a resumed thread has been seen: its earlier ones are not known here. */
  #newestTurnId: string | undefined;
  readonly #openTurn: TurnWatch;
  #isSubscribed = true;
  #stoppedTurnId: string | undefined;
  #receivedCount = 0;
  #state: ThreadState = idle;

  constructor(client: CodexRequester, identity: ThreadIdentity, { resumeParams, isNew, onRequest, turnEndGraceMs }: NewThreadOptions) {
    this.#client = client;
    this.id = identity.id;
    this.model = identity.model;
    this.cwd = identity.cwd;
    this.#resumeParams = resumeParams;
    this.#openTurn = new TurnWatch({ graceMs: turnEndGraceMs, onOverdue: (turnId) => void this.#settle(turnId, 'untold') });
    this.#newestTurnId = isNew ? '' : undefined;
    this.notifications = this.#queue;
    this.answerRequest = onRequest ?? (({ method }) => Promise.reject(new RelayError('unknown_method', `Nobody here answers ${method}`)));
  }

  get state(): ThreadState {
    return this.#state;
  }

  /** How many notifications were handed over: a reader who has seen as many has seen what came before a request. */
  get receivedCount(): number {
    return this.#receivedCount;
  }

  get activeTurnId(): string | undefined {
    return this.#state.status === 'active' ? this.#state.turnId : undefined;
  }

  /** Starts a turn, or adds to the one that runs: Codex decides, so there is no race. Answers the turn's id. */
  async startTurn({ text, clientUserMessageId, approvalPolicy, sandboxPolicy }: StartTurnParams): Promise<string> {
    const params = { threadId: this.id, input: textInput(text), clientUserMessageId, approvalPolicy, sandboxPolicy };
    const turnId = await this.#submit(clientUserMessageId, async (beforeResend) => {
      const answer = await this.#client.request('turn/start', params, { beforeResend });
      return typeof answer === 'string' ? answer : parseAnswer(StartTurnResult, 'turn/start', answer).turn.id;
    });
    if (!this.#isSubscribed) await this.#rejoin({});
    if (turnId !== '' && !this.#completedTurns.has(turnId) && this.#state.status !== 'active') {
      this.#state = { status: 'active', turnId, waitsFor: [] };
      this.#openTurn.open(turnId);
    }
    return turnId;
  }

  /** Adds to the turn with this id. @throws when another turn, or none, is running. */
  async steer(expectedTurnId: string, { text, clientUserMessageId }: StartTurnParams): Promise<string> {
    const params = { threadId: this.id, expectedTurnId, input: textInput(text), clientUserMessageId };
    return await this.#submit(clientUserMessageId, async (beforeResend) => {
      const answer = await this.#client.request('turn/steer', params, { beforeResend });
      return typeof answer === 'string' ? answer : parseAnswer(SteerTurnResult, 'turn/steer', answer).turnId;
    });
  }

  /** Leaves a message that gets a turn of its own when the thread is idle; kept by the server on disk. Experimental. */
  async enqueue({ text, clientUserMessageId }: StartTurnParams): Promise<void> {
    await this.#submit(clientUserMessageId, async (beforeResend) => {
      await this.#client.request('thread/queue/add', { threadId: this.id, clientUserMessageId, input: textInput(text) }, { beforeResend });
      return '';
    });
  }

  /** Lets the queue go on after an interrupt, which stops it. Experimental. */
  async startQueue(): Promise<void> {
    await this.#client.request('thread/queue/start', { threadId: this.id });
  }

  /** Takes back what waits in the queue under these ids. Experimental. */
  async dequeue(clientUserMessageIds: ReadonlySet<string>): Promise<void> {
    const { data } = await this.#client.ask(QueuePage, 'thread/queue/list', { threadId: this.id });
    for (const { id, clientUserMessageId } of data) {
      if (!clientUserMessageId || !clientUserMessageIds.has(clientUserMessageId)) continue;
      await this.#client.request('thread/queue/delete', { threadId: this.id, queuedSubmissionId: id });
    }
  }

  /** Puts text into the context without a turn: the model reads it with its next one. */
  async injectUserText(text: string): Promise<void> {
    const items = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }];
    await this.#client.request('thread/inject_items', { threadId: this.id, items });
  }

  /**
   * Stops the open turn; `false` when there is none. Its end follows in any case: where Codex knows of no such turn, or stopped it and says no
   * more, it is told here. The turn's command goes on: see `cleanBackgroundTerminals`.
   * @throws what Codex refuses it with, and `timeout`: such a turn may still run, and whatever came next would join it.
   */
  async interrupt(): Promise<boolean> {
    const { turnId } = this.#openTurn;
    if (turnId === undefined) return false;
    try {
      await this.#client.request('turn/interrupt', { threadId: this.id, turnId }, { timeoutMs: interruptTimeoutMs });
      this.#stoppedTurnId = turnId;
      this.#openTurn.expectEnd();
      return true;
    } catch (error) {
      if (this.#openTurn.turnId !== turnId) return false; // it ended while we asked
      if (isConnectionLost(error)) throw error;
      if (!isTurnUnknown(error) && !(await this.#hasEnded(turnId))) throw error;
      await this.#settle(turnId, 'stopped');
      return true;
    }
  }

  /** Ends the commands that outlived their turn; `false` when this server cannot, or has let the thread go. Experimental. */
  async cleanBackgroundTerminals(): Promise<boolean> {
    try {
      await this.#client.request('thread/backgroundTerminals/clean', { threadId: this.id });
      return true;
    } catch (error) {
      if (isUnsupported(error) || isThreadUnknown(error)) return false;
      throw error;
    }
  }

  /** Items, newest first unless said otherwise; `turnId` keeps to one turn. */
  async listItems({ turnId, limit = pageSize }: { readonly turnId?: string; readonly limit?: number } = {}): Promise<readonly ItemEntry[]> {
    const params = { threadId: this.id, limit, sortDirection: 'desc', ...(turnId === undefined ? {} : { turnId }) };
    return await this.#list(ItemsPage, 'thread/items/list', params);
  }

  /** Lets go of the thread so that the server drops it from memory with its MCP servers; it stays on disk and can be resumed. */
  async unload(): Promise<void> {
    this.#client.forgetThread(this.id);
    this.#queue.end();
    // Unsubscribing alone would keep it loaded, and locked for other servers, for half an hour.
    await this.#client.request('thread/unsubscribe', { threadId: this.id });
    await this.#client.request('thread/archive', { threadId: this.id });
    await this.#client.request('thread/unarchive', { threadId: this.id });
  }

  /** The client's side of the thread: takes a notification that names it. */
  receive(received: CodexNotification): void {
    const notification = this.#withReadableEnd(received);
    const known = parseNotification(notification);
    // An end that was told here already, and now comes after all.
    if (known?.method === 'turn/completed' && this.#completedTurns.has(known.params.turn.id)) return;
    if (known) this.#follow(known);
    if (this.#queue.size > deltasUntil && /delta$/iu.test(notification.method)) return;
    if (this.#queue.push(notification)) this.#receivedCount += 1;
  }

  /** Subscribes again on a new connection and hands over what happened meanwhile. */
  async resumeAfterReconnect(): Promise<void> {
    try {
      await this.#rejoin({ isPartOfReconnect: true });
    } catch (error) {
      // It has had no turn yet, so nothing was missed; the first one makes it possible to join.
      if (!isNeverStored(error)) throw error;
      this.#isSubscribed = false;
    }
  }

  /** The client is closed: nothing more will come. */
  end(): void {
    this.#state = { status: 'unloaded' };
    this.#openTurn.close();
    this.#queue.end();
  }

  #follow(known: KnownNotification): void {
    this.#state = nextThreadState(this.#state, known);
    this.#openTurn.observe(known);
    if (known.method === 'item/completed') remember(this.#completedItems, known.params.item.id);
    if (known.method === 'turn/completed') remember(this.#completedTurns, known.params.turn.id);
    if (known.method === 'turn/started') this.#newestTurnId = known.params.turn.id;
  }

  /** A turn that has ended is over, also where how it ended cannot be read. */
  #withReadableEnd(notification: CodexNotification): CodexNotification {
    const { turnId } = this.#openTurn;
    const isReadable = notification.method !== 'turn/completed' || turnId === undefined || parseNotification(notification) !== undefined;
    return isReadable ? notification : turnEnd(this.id, turnId, 'unreadable');
  }

  /** Tells the end of the open turn: as Codex has recorded it, else as `otherwise` says. */
  async #settle(turnId: string, otherwise: LostEnd): Promise<void> {
    const isStopped = this.#stoppedTurnId === turnId;
    const turn = await this.#recorded(turnId);
    // It was told to stop and has not yet: what came next would join it.
    if (isStopped && turn && !isOver(turn)) return this.#openTurn.expectEndAgain();
    const end = turn && isOver(turn) ? turn : isStopped ? 'stopped' : otherwise;
    if (this.#openTurn.turnId === turnId) this.receive(turnEnd(this.id, turnId, end));
  }

  async #hasEnded(turnId: string): Promise<boolean> {
    const turn = await this.#recorded(turnId);
    return turn !== undefined && isOver(turn);
  }

  async #recorded(turnId: string): Promise<Turn | undefined> {
    const newest = { threadId: this.id, limit: 20, sortDirection: 'desc' };
    // Without an answer nothing is recorded, as far as is known here.
    const turns = await this.#list(TurnsPage, 'thread/turns/list', newest, { timeoutMs: interruptTimeoutMs }).catch(() => []);
    return turns.find((turn) => turn.id === turnId);
  }

  async #itemsOf(turnId: string, options: CodexRequestOptions): Promise<readonly ItemEntry[]> {
    const params = { threadId: this.id, turnId, limit: pageSize, sortDirection: 'desc' };
    return [...(await this.#list(ItemsPage, 'thread/items/list', params, options))].reverse();
  }

  async #list<T>(schema: z.ZodType<{ data: T[] }>, method: string, params: object, options?: CodexRequestOptions): Promise<readonly T[]> {
    try {
      return (await this.#client.ask(schema, method, params, options)).data;
    } catch (error) {
      if (hasNoHistory(error)) return [];
      throw error;
    }
  }

  async #rejoin(options: CodexRequestOptions): Promise<void> {
    const activeTurnId = this.#openTurn.turnId;
    const status = await this.#resume(options);
    const newest = { threadId: this.id, limit: 20, sortDirection: 'desc' };
    const newestTurns = await this.#list(TurnsPage, 'thread/turns/list', newest, options);
    // Turn ids are UUIDs of version 7: they sort by time. What is older than all we have seen is history, not news.
    const floor = activeTurnId ?? this.#newestTurnId;
    const turns = newestTurns.filter(({ id }) => floor !== undefined && id >= floor && !this.#completedTurns.has(id)).reverse();
    const itemsByTurn = new Map<string, readonly ItemEntry[]>();
    for (const { id } of turns) itemsByTurn.set(id, await this.#itemsOf(id, options));
    const notifications = missedNotifications({
      threadId: this.id,
      activeTurnId,
      turns,
      itemsByTurn,
      wasSeen: (itemId) => this.#completedItems.has(itemId),
      wasCompleted: (turnId) => this.#completedTurns.has(turnId),
    });
    for (const notification of notifications) this.receive(notification);
    // A turn that the server says nothing of has ended while we were away.
    if (status !== undefined && status !== 'active') this.#openTurn.expectEnd();
  }

  /** Answers what the server says of the thread: `idle`, `active`. */
  async #resume(options: CodexRequestOptions = {}): Promise<string | undefined> {
    const params = { threadId: this.id, excludeTurns: true, ...this.#resumeParams };
    const resume = () => this.#client.ask(ThreadResult, 'thread/resume', params, options);
    const { thread } = await onceStored(resume, { isTurnRunning: !this.#isSubscribed });
    this.#isSubscribed = true;
    return thread.status?.type;
  }

  /**
   * Sends a message once. Codex does not recognise a repetition, so whenever the answer was lost the message is looked for first, among
   * the newest items and in the queue.
   */
  async #submit(clientUserMessageId: string, send: (beforeResend: () => Promise<unknown>) => Promise<string>): Promise<string> {
    const find = () => this.#findSubmitted(clientUserMessageId);
    try {
      return await this.#client.resendAfterReconnect(() => send(find), find);
    } catch (error) {
      if (!isThreadUnknown(error)) throw error;
      await this.#resume();
      return await send(find);
    }
  }

  async #findSubmitted(clientUserMessageId: string): Promise<string | undefined> {
    const found = (await this.listItems()).find(
      ({ item }) => item.known?.type === 'userMessage' && item.known.clientId === clientUserMessageId,
    );
    if (found) return found.turnId;
    if (!this.#client.isExperimental) return undefined;
    const { data } = await this.#client.ask(QueuePage, 'thread/queue/list', { threadId: this.id });
    return data.some((queued) => queued.clientUserMessageId === clientUserMessageId) ? '' : undefined;
  }
}

function remember(known: Set<string>, id: string): void {
  known.add(id);
  for (const oldest of known) {
    if (known.size <= remembered) return;
    known.delete(oldest);
  }
}
