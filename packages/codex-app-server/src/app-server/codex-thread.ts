import { RelayError } from 'agent-relay-protocol';
import type { CodexRequester, CodexRequestOptions } from './codex-requester.ts';
import { ElsewhereWatch } from './elsewhere-watch.ts';
import { isConnectionLost, isThreadInUse, isThreadUnknown, isTurnUnknown, isUnsupported, parseAnswer } from './errors.ts';
import { crashedTurn, isOver } from './lost-end.ts';
import {
  type ItemEntry,
  type ResumeThreadParams,
  type StartThreadParams,
  type StartTurnParams,
  StartTurnResult,
  SteerTurnResult,
  ThreadResult,
  turnInput,
} from './methods.ts';
import type { CodexNotification, KnownNotification } from './notifications.ts';
import type { AnswerServerRequest } from './server-requests.ts';
import { isNeverStored, onceStored } from './stored-history.ts';
import { ThreadFeed } from './thread-feed.ts';
import { type FindOptions, type FoundMessage, type ListItemsOptions, ThreadHistory } from './thread-history.ts';
import { lookAgain, partOfReconnect, type Recovering, recoverMessages, type ThreadRecovery } from './thread-recovery.ts';
import type { ThreadState } from './thread-state.ts';

export interface ThreadOptions {
  /** Answers what Codex asks about this thread, such as approvals. Without it everything is refused. */
  readonly onRequest?: AnswerServerRequest;
  readonly recovery?: ThreadRecovery;
}

interface NewThreadOptions extends ThreadOptions {
  readonly resumeParams: ResumeThreadParams;
  /** What it was opened with; absent for one that existed before. */
  readonly startParams?: StartThreadParams | undefined;
  readonly turnEndGraceMs: number;
  /** How often a thread that another program writes is looked at. */
  readonly elsewherePollMs: number;
  /** Told of everything that the thread is told and that can be read, also of what it had missed. */
  readonly onHeard: (known: KnownNotification, thread: CodexThread) => void;
}

export interface ThreadIdentity {
  readonly id: string;
  readonly model: string | null;
  readonly cwd: string | undefined;
}

const isAtRest = (status: string | undefined): boolean => status !== undefined && status !== 'active';

const serverEnded = 'The Codex app-server ended';

/** Codex answers an interrupt within 50 ms; one that does not answer must not keep its agent. */
const interruptTimeoutMs = 10_000;
/** A turn begins some milliseconds after the answer that names it, on a busy machine seconds. */
const beginTimeoutMs = 10_000;

/** One conversation on a server. Its states are those of `ThreadState`; it survives reconnects of its client. */
export class CodexThread {
  readonly model: string | null;
  readonly cwd: string | undefined;
  readonly answerRequest: AnswerServerRequest;
  readonly #client: CodexRequester;
  readonly #resumeParams: ResumeThreadParams;
  readonly #startParams: StartThreadParams | undefined;
  readonly #recovery: ThreadRecovery | undefined;
  readonly #history: ThreadHistory;
  readonly #feed: ThreadFeed;
  readonly #elsewhere: ElsewhereWatch;
  #id: string;
  #isSubscribed = true;
  /** What a server that died had taken was looked for, and the thread is not joined again yet: maybe on a later connection. */
  #isRecovering = false;
  /** The server died, and what it had taken was not looked for yet. */
  #hasDied = false;

  constructor(client: CodexRequester, identity: ThreadIdentity, options: NewThreadOptions) {
    const { resumeParams, startParams, recovery, onRequest, onHeard, turnEndGraceMs, elsewherePollMs } = options;
    this.#client = client;
    this.#id = identity.id;
    this.model = identity.model;
    this.cwd = identity.cwd;
    this.#resumeParams = resumeParams;
    this.#startParams = startParams;
    this.#recovery = recovery;
    this.#history = new ThreadHistory(client, () => this.#id);
    this.#feed = new ThreadFeed({
      threadId: () => this.#id,
      isNew: startParams !== undefined,
      turnEndGraceMs,
      recorded: (turnId) => this.#history.turn(turnId),
      onHeard: (known) => onHeard(known, this),
    });
    this.#elsewhere = new ElsewhereWatch({
      threadId: () => this.#id,
      history: this.#history,
      feed: this.#feed,
      recovery,
      canQueue: () => client.isExperimental,
      rejoin: async () => void (await this.#rejoin({})),
      pollMs: elsewherePollMs,
    });
    this.answerRequest = onRequest ?? (({ method }) => Promise.reject(new RelayError('unknown_method', `Nobody here answers ${method}`)));
  }

  /** Another one once its server has died before the thread's first turn, and with it the thread. */
  get id(): string {
    return this.#id;
  }

  /** What happens in this thread, in order; iterated once. Ends when the thread is unloaded by us or the client is closed. */
  get notifications(): AsyncIterable<CodexNotification> {
    return this.#feed.notifications;
  }

  get state(): ThreadState {
    return this.#feed.state;
  }

  /**
   * Another program writes this thread, so that no turn can be started here: `enqueue` still reaches it. Told as `client/attachedElsewhere` when it
   * begins and ends.
   */
  get isElsewhere(): boolean {
    return this.#elsewhere.isElsewhere;
  }

  /** How many notifications were handed over: a reader who has seen as many has seen what came before a request. */
  get receivedCount(): number {
    return this.#feed.receivedCount;
  }

  get activeTurnId(): string | undefined {
    return this.state.status === 'active' ? this.state.turnId : undefined;
  }

  /** Starts a turn, or adds to the one that runs: Codex decides, so there is no race. Answers the turn's id. */
  async startTurn(message: StartTurnParams): Promise<string> {
    const { approvalPolicy, sandboxPolicy } = message;
    const turnId = await this.#submit(message, async (options) => {
      const params = { ...this.#addressed(message), input: turnInput(message), approvalPolicy, sandboxPolicy };
      const answer = await this.#client.request('turn/start', params, options);
      return typeof answer === 'string' ? answer : parseAnswer(StartTurnResult, 'turn/start', answer).turn.id;
    });
    if (!this.#isSubscribed) await this.#rejoin({});
    this.#feed.begun(turnId);
    return turnId;
  }

  /** Adds to the turn with this id. @throws when another turn, or none, is running. */
  async steer(expectedTurnId: string, message: StartTurnParams): Promise<string> {
    return await this.#submit(message, async (options) => {
      const params = { ...this.#addressed(message), expectedTurnId, input: turnInput(message) };
      const answer = await this.#client.request('turn/steer', params, options);
      return typeof answer === 'string' ? answer : parseAnswer(SteerTurnResult, 'turn/steer', answer).turnId;
    });
  }

  /** Leaves a message that gets a turn of its own when the thread is idle; kept by the server on disk. Experimental. */
  async enqueue(message: StartTurnParams): Promise<void> {
    await this.#submit(message, async (options) => {
      await this.#client.request('thread/queue/add', { ...this.#addressed(message), input: turnInput(message) }, options);
      return '';
    });
  }

  /** Lets the queue go on after an interrupt, which stops it. Experimental. */
  async startQueue(): Promise<void> {
    await this.#client.request('thread/queue/start', { threadId: this.id });
  }

  /** Takes back what waits in the queue under these ids. Experimental. */
  async dequeue(clientUserMessageIds: ReadonlySet<string>): Promise<void> {
    await this.#history.dequeue(clientUserMessageIds);
  }

  /**
   * Puts text into the context without a turn: the model reads it with its next one. Nothing tells whether it had arrived when the connection is
   * lost before the answer: then it is put there again.
   */
  injectUserText(text: string): Promise<void> {
    return this.#inject('user', text);
  }

  /** Adds standing instructions: those that a resume names do not reach the model of a conversation that began with others (0.169). */
  injectInstructions(text: string): Promise<void> {
    return this.#inject('developer', text);
  }

  async #inject(role: 'user' | 'developer', text: string): Promise<void> {
    const items = [{ type: 'message', role, content: [{ type: 'input_text', text }] }];
    await this.#client.resendAfterReconnect(() => this.#client.request('thread/inject_items', { threadId: this.id, items }));
  }

  /**
   * Stops the open turn; `false` when there is none. Its end follows in any case: where Codex knows of no such turn, or stopped it and says no
   * more, it is told here. The turn's command goes on: see `cleanBackgroundTerminals`.
   * @throws what Codex refuses it with, and `timeout`: such a turn may still run, and whatever came next would join it.
   */
  async interrupt(): Promise<boolean> {
    const turnId = this.#feed.openTurnId;
    if (turnId === undefined) return false;
    try {
      await this.#stop(turnId);
      this.#feed.stopped(turnId);
      return true;
    } catch (error) {
      if (this.#feed.openTurnId !== turnId) return false; // it ended while we asked
      if (isConnectionLost(error)) throw error;
      if (!isTurnUnknown(error) && !(await this.#hasEnded(turnId))) throw error;
      await this.#feed.settle(turnId, 'stopped');
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

  /** Items, newest first; `turnId` keeps to one turn. */
  listItems(options: ListItemsOptions = {}): Promise<readonly ItemEntry[]> {
    return this.#history.items(options);
  }

  /** A message in the conversation, whoever sent it, and however long ago. */
  findMessage(clientUserMessageId: string, options?: FindOptions): Promise<FoundMessage | undefined> {
    return this.#history.findMessage(clientUserMessageId, options);
  }

  /** Lets go of the thread so that the server drops it from memory with its MCP servers; it stays on disk and can be resumed. */
  async unload(): Promise<void> {
    this.#client.forgetThread(this.id);
    // It is not ours to take out of another program's memory.
    if (this.isElsewhere) return;
    // Unsubscribing alone would keep it loaded, and locked for other servers, for half an hour.
    await this.#client.request('thread/unsubscribe', { threadId: this.id });
    await this.#client.request('thread/archive', { threadId: this.id });
    await this.#client.request('thread/unarchive', { threadId: this.id });
  }

  /** The client's side of the thread: it was joined while a turn runs, whose beginning nobody tells here. */
  async joinedRunning(options?: CodexRequestOptions): Promise<void> {
    const turn = await this.#history.runningTurn(options);
    if (turn) this.#feed.begun(turn.id);
  }

  /** The client's side of the thread: takes a notification that names it. */
  receive(notification: CodexNotification): void {
    this.#feed.receive(notification);
  }

  /** The server is known to be gone: the open turn has failed. What becomes of the thread shows when there is a server again. */
  serverDied(message: string): void {
    this.#hasDied = true;
    this.#feed.serverDied(message);
  }

  /** Subscribes again on a new connection and hands over what happened meanwhile. `isForgotten`: this server has not loaded the thread. */
  async resumeAfterReconnect({ isForgotten }: { readonly isForgotten: boolean }): Promise<void> {
    if (isForgotten || this.#hasDied) {
      this.#feed.serverDied(serverEnded);
      if (this.#recovery) await recoverMessages(this.#recovery, this.#places({ isLoaded: !isForgotten }));
      this.#hasDied = false;
      this.#isRecovering = true;
    }
    let status: string | undefined;
    try {
      status = await this.#rejoin(partOfReconnect);
    } catch (error) {
      if (isThreadInUse(error)) this.#elsewhere.begin();
      else if (!isNeverStored(error)) throw error;
      // It has had no turn yet, so nothing was missed; the first one makes it possible to join, where it still exists.
      else if (isForgotten && this.#startParams) this.#id = await this.#client.replaceThread(this.#id, this.#startParams);
      else this.#isSubscribed = false;
    }
    // What joined a turn that runs, or has just begun one, is in no list yet.
    const nothingRuns = isAtRest(status) && this.#feed.openTurnId === undefined;
    if (!this.#isRecovering && nothingRuns) await this.#lookAgain();
    if (!this.#isRecovering) return;
    this.#isRecovering = false;
    this.#recovery?.resumed();
  }

  /** A thread that is joined again is not lost for a server that has no such list, or is slow. */
  async #lookAgain(): Promise<void> {
    if (!this.#recovery) return;
    await lookAgain(this.#recovery, this.#places({ isLoaded: true })).catch((error: unknown) => {
      if (isConnectionLost(error)) throw error;
    });
  }

  /** The client is closed, or has let go of the thread: nothing more will come. */
  end(): void {
    this.#elsewhere.close();
    this.#feed.end();
  }

  /** Codex names a turn in its answer before it knows of it, and refuses to stop it then: it is asked again once the turn has begun. */
  async #stop(turnId: string): Promise<void> {
    const ask = () => this.#client.request('turn/interrupt', { threadId: this.id, turnId }, { timeoutMs: interruptTimeoutMs });
    const hadBegun = this.#feed.hasBegun(turnId);
    try {
      await ask();
    } catch (error) {
      const mayBeEarly = !hadBegun && isTurnUnknown(error) && !isThreadUnknown(error);
      if (!mayBeEarly || !(await this.#feed.beginsWithin(turnId, beginTimeoutMs))) throw error;
      await ask();
    }
  }

  async #hasEnded(turnId: string): Promise<boolean> {
    const turn = await this.#history.turn(turnId);
    return turn !== undefined && isOver(turn);
  }

  #places({ isLoaded }: { readonly isLoaded: boolean }): Recovering {
    return { threadId: this.#id, history: this.#history, feed: this.#feed, canQueue: this.#client.isExperimental, isLoaded };
  }

  /** Answers what the server says of the thread: `idle`, `active`. */
  async #rejoin(options: CodexRequestOptions): Promise<string | undefined> {
    const activeTurnId = this.#feed.openTurnId;
    const status = await this.#resume(options);
    const backTo = this.#feed.missedSince(activeTurnId);
    const turns = this.#feed.maybeMissed(await this.#history.turns({ ...options, backTo }), activeTurnId);
    const itemsByTurn = await this.#history.itemsByTurn(turns, options);
    const ended = this.#isRecovering ? turns.map((turn) => (turn.status === 'interrupted' ? crashedTurn(turn, serverEnded) : turn)) : turns;
    this.#feed.catchUp(ended, itemsByTurn, activeTurnId);
    // A turn that the server says nothing of has ended while we were away, and one whose beginning nobody told runs.
    if (isAtRest(status)) this.#feed.nothingRuns();
    else if (status === 'active' && this.#feed.openTurnId === undefined) await this.joinedRunning(options);
    return status;
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
  async #submit(
    { text, clientUserMessageId, signal }: StartTurnParams,
    send: (options: CodexRequestOptions) => Promise<string>,
  ): Promise<string> {
    const find = async () =>
      this.#feed.turnOfMessage(clientUserMessageId) ?? (await this.#history.turnOfMessage(clientUserMessageId, { text }));
    const options = { beforeResend: find, ...(signal ? { signal } : {}) };
    try {
      return await this.#client.resendAfterReconnect(() => send(options), { find, signal });
    } catch (error) {
      if (!isThreadUnknown(error)) throw error;
      await this.#resume().catch((refused: unknown) => {
        if (isThreadInUse(refused)) this.#elsewhere.begin();
        throw refused;
      });
      return await send(options);
    }
  }

  #addressed({ clientUserMessageId }: StartTurnParams) {
    return { threadId: this.#id, clientUserMessageId };
  }
}
