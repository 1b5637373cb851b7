import { RelayError } from 'agent-relay-protocol';
import { AsyncQueue, backoffDelays, type RequestContext, settlesWithin, sleep } from 'agent-relay-wire';
import type { z } from 'zod';
import type { CodexRequester, CodexRequestOptions, ResendOptions } from './codex-requester.ts';
import { CodexThread, type ThreadOptions } from './codex-thread.ts';
import { type ClientInfo, CodexConnection } from './connection.ts';
import { type CodexEndpoint, type EndpointSource, openEndpoint } from './endpoint.ts';
import { isConnectionLost, isUnanswered, parseAnswer } from './errors.ts';
import { type CodexModel, isSafeToResend, ModelsPage, type ResumeThreadParams, type StartThreadParams, ThreadResult } from './methods.ts';
import { type CodexNotification, type KnownNotification, parseNotification, threadIdOf } from './notifications.ts';
import { OpenThreads } from './open-threads.ts';
import { RequestGate, type RequestGateOptions } from './request-gate.ts';
import { type ServerRequest, ServerRequests } from './server-requests.ts';
import { betweenMs, loadedThreadIds, onceStored } from './stored-history.ts';
import { type LookOptions, ThreadHistory } from './thread-history.ts';

export interface CodexClientOptions extends RequestGateOptions {
  readonly clientInfo: ClientInfo;
  /** Notifications that nobody will read, by exact name. Default: `account/rateLimits/updated`. */
  readonly optOutNotificationMethods?: readonly string[];
  /** How long a lost connection is tried again before the client gives up. Default 60 000. */
  readonly reconnectForMs?: number;
  /** For requests that name no time of their own. Default 120 000. */
  readonly requestTimeoutMs?: number;
  /** How long a turn's end may follow Codex's word that nothing runs, or an interrupt, before it is told here. Default 3 000. */
  readonly turnEndGraceMs?: number;
  /** How often a thread that another program writes is looked at, until it is free. Default 5 000. */
  readonly elsewherePollMs?: number;
  /** A fault of ours while handling a frame, for the log. */
  readonly onError?: (error: unknown, method: string) => void;
  /** Gives up connecting. An open client is not its business: call `close`. */
  readonly signal?: AbortSignal;
}

/** Parameters of a method that says something in a thread. */
export interface MessageToThread {
  readonly threadId: string;
  readonly clientUserMessageId: string;
  /** As `turn/start` takes it. */
  readonly input?: readonly { readonly type: string; readonly text?: string }[];
}

export interface SendOnceOptions {
  /** A moment ago, or long ago, which takes one look less. */
  readonly mayHaveArrived?: boolean | 'long ago';
  /** Runs once it is known that it is to be sent. What it throws is thrown, and nothing is sent. */
  readonly beforeSending?: () => Promise<unknown>;
}

const lastFramesMs = 1_000;

const textOf = (input: MessageToThread['input']): string | undefined => input?.map(({ text = '' }) => text).join('');

/**
 * A client of one Codex app-server: many threads over one connection, which it opens again when it is lost.
 *
 * States: *open* after `connect`; *reconnecting* from a lost connection until every thread is resumed on a new one (requests wait);
 * *closed* after `close()`, after `reconnectForMs` without success, or at once when the endpoint is a child's stdio. Closed is final:
 * every request rejects with `connection_closed` and every thread's notifications end.
 */
export class CodexClient implements CodexRequester {
  readonly #endpoint: CodexEndpoint | EndpointSource;
  readonly #options: CodexClientOptions;
  readonly #gate: RequestGate;
  /** Its own, because those who wait for the reconnect keep their places meanwhile. */
  readonly #reconnectGate: RequestGate;
  readonly #threads = new OpenThreads();
  readonly #serverRequests = new ServerRequests();
  readonly #others = new AsyncQueue<CodexNotification>({ limit: 1_000, overflow: 'drop-oldest' });
  readonly #closing = new AbortController();
  readonly #whenClosed: Promise<void>;
  #resolveClosed: () => void = () => {};
  #connection: CodexConnection | undefined;
  #ready: Promise<CodexConnection>;

  private constructor(endpoint: CodexEndpoint | EndpointSource, options: CodexClientOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#gate = new RequestGate(options);
    this.#reconnectGate = new RequestGate(options);
    this.#whenClosed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#ready = Promise.reject(new RelayError('connection_closed', 'Not connected yet'));
    this.#ready.catch(() => {});
  }

  /** Connects and initializes. @throws what the connection failed with, or the server's refusal. */
  static async connect(endpoint: CodexEndpoint | EndpointSource, options: CodexClientOptions): Promise<CodexClient> {
    options.signal?.throwIfAborted();
    const client = new CodexClient(endpoint, options);
    const connection = await client.#open(await client.#nextEndpoint(), options.signal);
    client.#adopt(connection);
    return client;
  }

  /** Name and version of the server, as it says them. */
  get userAgent(): string {
    return this.#connection?.userAgent ?? '';
  }

  /** Whether the server offers what Codex calls experimental: the queue, cleaning up background commands. */
  get isExperimental(): boolean {
    return this.#connection?.isExperimental ?? false;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Resolves when the client is closed, whoever closed it. */
  get closed(): Promise<void> {
    return this.#whenClosed;
  }

  /** What belongs to no thread of this client, newest 1,000. */
  get notifications(): AsyncIterable<CodexNotification> {
    return this.#others;
  }

  async startThread(params: StartThreadParams, options: ThreadOptions = {}): Promise<CodexThread> {
    const { threadSource: _source, dynamicTools: _tools, ...resumeParams } = params;
    return await this.#openThread('thread/start', params, { ...options, resumeParams, startParams: params });
  }

  /** Loads a thread from disk, or joins one that is loaded; pending approvals are asked again. @throws `name_taken` when it is open here already. */
  async resumeThread(threadId: string, params: ResumeThreadParams = {}, options: ThreadOptions = {}): Promise<CodexThread> {
    return await this.#openThread('thread/resume', { threadId, excludeTurns: true, ...params }, { ...options, resumeParams: params });
  }

  /**
   * Says that the server has ended, which whoever started it knows first: open turns fail at once, and open questions are withdrawn. The client goes
   * on to connect again; what the server had taken and not repeated is looked for then, also in threads that somebody else had the next server load first
   * (`ThreadRecovery`).
   */
  async serverDied(message: string): Promise<void> {
    // What it said before is read first.
    if (this.#connection) await settlesWithin(this.#connection.closed, lastFramesMs);
    this.#serverRequests.withdraw(new RelayError('gone', message));
    this.#threads.serverDied(message);
  }

  async listModels(): Promise<readonly CodexModel[]> {
    return (await this.ask(ModelsPage, 'model/list', { limit: 100 })).data;
  }

  async request(method: string, params: unknown, options: CodexRequestOptions = {}): Promise<unknown> {
    const { signal, timeoutMs = this.#options.requestTimeoutMs ?? 120_000, beforeResend, isPartOfReconnect = false } = options;
    const send = async () => {
      const connection = isPartOfReconnect ? this.#connection : await this.#ready;
      if (!connection) throw this.#closedError();
      signal?.throwIfAborted();
      return await connection.request(method, params, { timeoutMs, ...(signal ? { signal } : {}) });
    };
    const gate = isPartOfReconnect ? this.#reconnectGate : this.#gate;
    const run = () => gate.run(send, beforeResend);
    return isSafeToResend(method) && !isPartOfReconnect ? await this.resendAfterReconnect(run) : await run();
  }

  async ask<Schema extends z.ZodType>(
    schema: Schema,
    method: string,
    params: unknown,
    options?: CodexRequestOptions,
  ): Promise<z.output<Schema>> {
    return parseAnswer(schema, method, await this.request(method, params, options));
  }

  async resendAfterReconnect<T>(send: () => Promise<T>, { find, signal }: ResendOptions<T> = {}): Promise<T> {
    for (let losses = 1; ; losses += 1) {
      try {
        return await send();
      } catch (error) {
        const mayHaveArrived = isConnectionLost(error) || (isUnanswered(error) && find !== undefined);
        if (!mayHaveArrived || losses > 3 || this.isClosed) throw error;
        await this.#ready;
        signal?.throwIfAborted();
        const found = find && (await this.#lookFor(find, signal));
        if (found !== undefined) return found;
      }
    }
  }

  /** Looks for what may have arrived, twice, for as long as it takes the server to answer. */
  async #lookFor<T>(find: () => Promise<T | undefined>, signal: AbortSignal = this.#closing.signal): Promise<T | undefined> {
    for (let looks = 1; ; ) {
      try {
        const found = await find();
        if (found !== undefined || looks === 2) return found;
        looks += 1;
        await sleep(betweenMs, { signal });
      } catch (error) {
        if (!isUnanswered(error)) throw error;
      }
      signal.throwIfAborted();
    }
  }

  /**
   * Says something in a thread that need not be open here (`turn/start`, `thread/queue/add`), once: where the answer was lost it is looked for before it
   * is sent again, and before it is sent at all where it may have arrived. Answers the turn that it was found in, empty for the queue.
   */
  async sendOnce(
    method: string,
    message: MessageToThread,
    { mayHaveArrived = false, beforeSending }: SendOnceOptions = {},
  ): Promise<string | undefined> {
    const find = () => this.turnOfMessage(message.threadId, message.clientUserMessageId, { text: textOf(message.input) });
    const arrived = mayHaveArrived === 'long ago' ? await find() : mayHaveArrived ? await this.#lookFor(find) : undefined;
    if (arrived !== undefined) return arrived;
    await beforeSending?.();
    const answer = await this.resendAfterReconnect(() => this.request(method, message, { beforeResend: find }), { find });
    return typeof answer === 'string' ? answer : undefined;
  }

  /**
   * Where something that was said in a thread went: the id of its turn, empty while it waits in the queue, `undefined` where it is in neither, which it
   * also is while Codex begins with it. It is looked for among the newest hundred items, or in all of them.
   */
  turnOfMessage(threadId: string, clientUserMessageId: string, options?: LookOptions): Promise<string | undefined> {
    return new ThreadHistory(this, () => threadId).turnOfMessage(clientUserMessageId, options);
  }

  /** Takes back what waits in a thread's queue. Answers whether it was there, and Codex had not begun with it. */
  async takeFromQueue(threadId: string, clientUserMessageId: string): Promise<boolean> {
    const isOut = await new ThreadHistory(this, () => threadId).dequeue(new Set([clientUserMessageId]));
    return isOut.get(clientUserMessageId) === true;
  }

  forgetThread(threadId: string): void {
    const thread = this.#threads.get(threadId);
    this.#threads.forget(threadId);
    thread?.end();
  }

  async close(): Promise<void> {
    this.#end(this.#closedError());
    await this.#connection?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #openThread(
    method: string,
    params: object,
    options: ThreadOptions & { readonly resumeParams: ResumeThreadParams; readonly startParams?: StartThreadParams },
  ): Promise<CodexThread> {
    let isRunning = false;
    const open = async () => {
      const opened = await onceStored(() => this.ask(ThreadResult, method, params));
      isRunning = opened.thread.status?.type === 'active';
      return opened;
    };
    const thread = await this.#threads.open(open, ({ thread: { id }, model, cwd }) => {
      if (this.#threads.get(id)) throw new RelayError('name_taken', `The thread ${id} is open here already`);
      const { turnEndGraceMs = 3_000, elsewherePollMs = 5_000 } = this.#options;
      const onHeard = (known: KnownNotification, thread: CodexThread) => this.#threads.heard(known, thread);
      return new CodexThread(this, { id, model: model ?? null, cwd }, { ...options, turnEndGraceMs, elsewherePollMs, onHeard });
    });
    if (isRunning) await thread.joinedRunning();
    return thread;
  }

  async replaceThread(threadId: string, params: StartThreadParams): Promise<string> {
    const thread = this.#threads.get(threadId);
    if (!thread) throw this.#closedError();
    let id = threadId;
    const start = () => this.ask(ThreadResult, 'thread/start', params, { isPartOfReconnect: true });
    await this.#threads.open(start, (opened) => {
      this.#threads.forget(threadId);
      id = opened.thread.id;
      return thread;
    });
    return id;
  }

  async #nextEndpoint(): Promise<CodexEndpoint> {
    return typeof this.#endpoint === 'function' ? await this.#endpoint() : this.#endpoint;
  }

  #open(endpoint: CodexEndpoint, signal: AbortSignal | undefined): Promise<CodexConnection> {
    return openEndpoint(endpoint, signal).then((duplex) =>
      CodexConnection.initialize(duplex, {
        clientInfo: this.#options.clientInfo,
        optOutNotificationMethods: this.#options.optOutNotificationMethods ?? ['account/rateLimits/updated'],
        initializeTimeoutMs: 15_000,
        onNotification: (method, params) => this.#receive({ method, params }),
        onRequest: (context, params) => this.#answer(context, params),
        onError: (error, method) => this.#options.onError?.(error, method),
      }),
    );
  }

  #adopt(connection: CodexConnection): void {
    this.#connection = connection;
    this.#ready = Promise.resolve(connection);
    void connection.closed.then(() => {
      if (this.isClosed) return;
      if (typeof this.#endpoint === 'object' && this.#endpoint.transport === 'stdio') this.#end(this.#closedError());
      else this.#beginReconnect();
    });
  }

  #beginReconnect(): void {
    this.#ready = this.#reconnect();
    // Whoever waits for it hears of the failure; nobody has to.
    this.#ready.catch((error: unknown) => this.#end(error instanceof RelayError ? error : this.#closedError()));
  }

  async #reconnect(): Promise<CodexConnection> {
    let giveUpAt = performance.now() + (this.#options.reconnectForMs ?? 60_000);
    const { signal } = this.#closing;
    for (const delayMs of backoffDelays({ initialMs: 100, maxMs: 5_000 })) {
      await sleep(delayMs, { signal });
      if (signal.aborted || performance.now() > giveUpAt) break;
      const askedAt = performance.now();
      const endpoint = await this.#nextEndpoint().catch(() => undefined);
      // While there is no server nothing is tried.
      giveUpAt += performance.now() - askedAt;
      if (!endpoint) continue;
      const connection = await this.#open(endpoint, signal).catch((error: unknown) => {
        this.#options.onError?.(error, 'initialize');
        return undefined;
      });
      if (connection && (await this.#resumeThreads(connection))) return connection;
    }
    throw this.#closedError();
  }

  /** `false` when this connection was lost as well. */
  async #resumeThreads(connection: CodexConnection): Promise<boolean> {
    this.#connection = connection;
    try {
      const loaded = await loadedThreadIds(this);
      await this.#threads.resume(loaded, {
        onGone: (error) => this.#options.onError?.(error, 'thread/resume'),
        client: this,
      });
    } catch {
      return false;
    }
    this.#adopt(connection);
    return true;
  }

  #receive(notification: CodexNotification): void {
    const known = parseNotification(notification);
    if (known?.method === 'serverRequest/resolved') this.#serverRequests.resolved(known);
    if (!this.#threads.receive(notification)) this.#others.push(notification);
  }

  async #answer(context: RequestContext, params: unknown): Promise<unknown> {
    const threadId = threadIdOf(params);
    const thread = this.#threads.get(threadId);
    if (thread) return await this.#serverRequests.answer(context, params, thread.answerRequest);
    const subAgent = threadId === undefined ? undefined : await this.#threads.subAgent(threadId);
    if (!subAgent) throw new RelayError('unknown_method', `Nobody here answers ${context.method}`);
    const { turnId, itemId } = subAgent;
    const answer = (request: ServerRequest) => subAgent.thread.answerRequest({ ...request, startedBy: { turnId, itemId } });
    return await this.#serverRequests.answer(context, params, answer);
  }

  #end(reason: RelayError): void {
    if (this.isClosed) return;
    this.#closing.abort(reason);
    this.#ready = Promise.reject(reason);
    this.#ready.catch(() => {});
    this.#serverRequests.withdraw(reason);
    this.#threads.end();
    this.#others.end();
    this.#resolveClosed();
  }

  #closedError(): RelayError {
    return new RelayError('connection_closed', 'The connection to the Codex app-server has ended');
  }
}
