import { RelayError, toRelayError } from 'agent-relay-protocol';
import { errorFromRpc, errorToRpc } from './json-rpc-error.ts';
import { ResponseBatch, type RpcId, type RpcResponse, RunningRequest } from './json-rpc-running.ts';
import { alreadySent, type CloseReason, type DuplexClosed, encodeJson, handledRejection, type MessageDuplex } from './message-duplex.ts';
import { PendingRequests, type RequestOptions } from './pending-requests.ts';

/** What a request handler knows of its request. `signal` aborts when the connection ends or `abortRequest` is called. */
export interface RequestContext {
  readonly id: RpcId;
  readonly method: string;
  readonly signal: AbortSignal;
  /** How long the answers are, as JSON text, that this request's batch has already; 0 for a request that came alone. */
  readonly batchCharacters: number;
}

/** Decides when requests begin that are not to begin on arrival. */
export interface RequestLane {
  takes(method: string, params: unknown): boolean;
  /** Calls `start` once, when the request's turn has come; it resolves, never rejects, when the link has taken the answer. */
  run(start: () => Promise<void>): void;
}

/** Keeps a link from taking more than its share: told of every frame and of every send that has to wait. */
export interface LinkPace {
  received(): void;
  sending(sent: Promise<void>): void;
}

export interface JsonRpcPeerOptions {
  /**
   * Answers a request; a value returned synchronously is answered in the same turn. Handlers start in order of arrival and are
   * not awaited. A `RelayError` is sent as it is; anything else thrown is a bug: the peer reads `internal`, `onError` the cause.
   */
  readonly onRequest?: (method: string, params: unknown, context: RequestContext) => unknown;
  readonly onNotification?: (method: string, params: unknown) => unknown;
  /** A handler's bug, for the log. `method` is the one it was handling. */
  readonly onError?: (error: unknown, method: string) => void;
  /** A response nobody waits for (late, or unknown id), or a frame that is no JSON-RPC. */
  readonly onUnmatched?: (message: unknown) => void;
  /** A request of ours was aborted or timed out: the place to tell the peer in its own words. */
  readonly onAbandoned?: (id: RpcId, method: string) => void;
  /** Sees every frame, before it is handled or sent. Bodies may be secret: not for logs. */
  readonly trace?: (direction: 'received' | 'sent', message: unknown) => void;
  /** Leaves out `jsonrpc` in what we send, for peers that never send it. On receive it may always be absent. */
  readonly omitVersion?: boolean;
  readonly requestId?: 'number' | 'string';
  /** Answer frames that are no JSON-RPC with an error whose id is null, as the standard says. Default true. */
  readonly answerInvalid?: boolean;
  /** Requests of the peer that may run at a time; more are answered `overloaded`. Default 256. */
  readonly maxConcurrentRequests?: number;
  /** Default: every request begins on arrival. */
  readonly lane?: RequestLane;
  readonly pace?: LinkPace;
  /** For requests that name no `timeoutMs` of their own. Default: none. */
  readonly defaultTimeoutMs?: number;
}

type RequestHandler = NonNullable<JsonRpcPeerOptions['onRequest']>;

interface Frame {
  readonly jsonrpc?: unknown;
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

const isRpcId = (id: unknown): id is RpcId => typeof id === 'number' || typeof id === 'string';

/** Invalid Request in JSON-RPC 2.0, section 5.1: the one number of the standard that no code of ours owns. */
const invalidRequestNumber = -32600;

/**
 * JSON-RPC 2.0 over a `MessageDuplex`, both sides alike.
 *
 * States: *open* from construction (it is the duplex's reader); *ended* once the duplex has closed. At the end every pending
 * request rejects with `connection_closed` and the signal of every running handler aborts; requests after it reject at once.
 */
export class JsonRpcPeer {
  readonly closed: Promise<DuplexClosed>;
  readonly #duplex: MessageDuplex;
  readonly #options: JsonRpcPeerOptions;
  readonly #maxConcurrentRequests: number;
  readonly #pending: PendingRequests;
  readonly #running = new Map<RpcId, RunningRequest>();
  #lastId = 0;
  #ended: RelayError | undefined;

  constructor(duplex: MessageDuplex, options: JsonRpcPeerOptions = {}) {
    this.#duplex = duplex;
    this.#options = options;
    this.#maxConcurrentRequests = options.maxConcurrentRequests ?? 256;
    this.#pending = new PendingRequests(options.onAbandoned);
    const isListening = duplex.onMessage !== undefined;
    duplex.onMessage?.(this.#receive, this.#receiveMalformed);
    this.closed = this.#readUntilClosed(isListening);
  }

  /** Requests of ours that wait for an answer. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Requests of the peer whose handler has not finished. */
  get runningCount(): number {
    return this.#running.size;
  }

  get bufferedBytes(): number {
    return this.#duplex.bufferedBytes;
  }

  /**
   * Resolves with the result as the peer sent it: parse it. Rejects with the peer's error, `connection_closed`, `timeout`, or the
   * signal's reason.
   */
  request(method: string, params?: unknown, options?: RequestOptions): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#lastId += 1;
    const id = this.#options.requestId === 'string' ? String(this.#lastId) : this.#lastId;
    const answer = this.#pending.add(id, method, signal, options?.timeoutMs ?? this.#options.defaultTimeoutMs);
    const sending = this.#send(this.#options.omitVersion ? { id, method, params } : { jsonrpc: '2.0', id, method, params });
    if (sending !== alreadySent) sending.catch((error: unknown) => this.#pending.take(id)?.reject(error));
    return answer;
  }

  /** Resolves like `MessageDuplex.send`; a rejection may be ignored. */
  notify(method: string, params?: unknown): Promise<void> {
    if (this.#ended) return handledRejection(this.#ended);
    return this.#send(this.#options.omitVersion ? { method, params } : { jsonrpc: '2.0', method, params });
  }

  /** Sends a notification made by `encodeNotification`, so that one broadcast is serialised once for all of its receivers. */
  notifyEncoded(json: string): Promise<void> {
    if (this.#ended) return handledRejection(this.#ended);
    return this.#sendText(json);
  }

  /** Aborts the handler of a request the peer no longer wants; its answer is still sent. `false`: no such request is running. */
  abortRequest(id: RpcId, reason?: unknown): boolean {
    const running = this.#running.get(id);
    running?.abort(reason);
    return running !== undefined;
  }

  close(reason?: CloseReason): Promise<void> {
    return this.#duplex.close(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #readUntilClosed(isListening: boolean): Promise<DuplexClosed> {
    let cause: unknown;
    let closed: DuplexClosed = {};
    try {
      if (!isListening) for await (const message of this.#duplex.incoming) this.#receive(message);
    } catch (error) {
      cause = error;
    } finally {
      closed = await this.#duplex.closed;
      this.#end(closed, cause);
    }
    return closed;
  }

  #end(closed: DuplexClosed, cause: unknown): void {
    this.#ended = new RelayError('connection_closed', 'The connection ended before an answer came', {
      details: { ...closed },
      ...(cause === undefined ? {} : { cause }),
    });
    this.#pending.rejectAll(this.#ended);
    for (const running of this.#running.values()) running.abort(this.#ended);
    this.#running.clear();
  }

  readonly #receive = (message: unknown): void => {
    this.#options.trace?.('received', message);
    this.#options.pace?.received();
    if (Array.isArray(message) && message.length > 0) this.#receiveBatch(message);
    else this.#dispatch(message, undefined);
  };

  readonly #receiveMalformed = (): void => {
    if (this.#options.answerInvalid !== false) this.#refuse(new RelayError('parse_error', 'The frame is not valid JSON'), null, undefined);
  };

  #receiveBatch(messages: readonly unknown[]): void {
    const batch = new ResponseBatch((json) => this.#sendText(json));
    for (const message of messages) this.#dispatch(message, batch);
    batch.seal();
  }

  #dispatch(message: unknown, batch: ResponseBatch | undefined): void {
    const frame: Frame = typeof message === 'object' && message !== null ? message : {};
    const { id, method, jsonrpc } = frame;
    if (jsonrpc !== undefined && jsonrpc !== '2.0') this.#refuseFrame(message, id, batch);
    else if (typeof method === 'string' && id === undefined) this.#runNotification(method, frame.params);
    else if (typeof method === 'string' && isRpcId(id)) this.#runRequest(new RunningRequest(id, method, batch), frame.params);
    else if (method === undefined && (isRpcId(id) || frame.error !== undefined)) this.#settle(frame, message);
    else this.#refuseFrame(message, id, batch);
  }

  #settle(frame: Frame, message: unknown): void {
    const pending = isRpcId(frame.id) ? this.#pending.take(frame.id) : undefined;
    if (!pending) this.#options.onUnmatched?.(message);
    else if (frame.error !== undefined && frame.error !== null) pending.reject(errorFromRpc(frame.error));
    else pending.resolve(frame.result);
  }

  #runNotification(method: string, params: unknown): void {
    try {
      const outcome = this.#options.onNotification?.(method, params);
      if (outcome instanceof Promise) outcome.catch((error: unknown) => this.#options.onError?.(error, method));
    } catch (error) {
      this.#options.onError?.(error, method);
    }
  }

  #runRequest(request: RunningRequest, params: unknown): void {
    request.batch?.expect();
    try {
      const onRequest = this.#admit(request);
      const { lane } = this.#options;
      if (lane?.takes(request.method, params)) {
        this.#running.set(request.id, request);
        lane.run(() => this.#runInLane(request, params, onRequest));
        return;
      }
      const outcome = onRequest(request.method, params, request);
      if (outcome instanceof Promise) this.#awaitOutcome(request, outcome);
      else void this.#respond(request, outcome ?? null);
    } catch (error) {
      void this.#respondError(request, error);
    }
  }

  async #runInLane(request: RunningRequest, params: unknown, onRequest: RequestHandler): Promise<void> {
    if (this.#ended) return;
    let sending: Promise<void>;
    try {
      const result = (await onRequest(request.method, params, request)) ?? null;
      this.#running.delete(request.id);
      sending = this.#respond(request, result);
    } catch (error) {
      this.#running.delete(request.id);
      sending = this.#respondError(request, error);
    }
    await sending.catch(() => {}); // the end of the connection, which everybody hears of
  }

  #admit(request: RunningRequest): RequestHandler {
    const { onRequest } = this.#options;
    if (!onRequest) throw new RelayError('unknown_method', `There is no method ${request.method}`);
    if (this.#running.size >= this.#maxConcurrentRequests) {
      const details = { maxConcurrentRequests: this.#maxConcurrentRequests };
      throw new RelayError('overloaded', 'Too many requests are running on this connection', { details });
    }
    if (this.#running.has(request.id)) {
      const issues = [{ path: 'id', message: 'a request with this id is still running' }];
      throw new RelayError('validation_failed', 'The request id is in use', { issues });
    }
    return onRequest;
  }

  #awaitOutcome(request: RunningRequest, outcome: Promise<unknown>): void {
    this.#running.set(request.id, request);
    outcome.then(
      (result) => {
        this.#running.delete(request.id);
        void this.#respond(request, result ?? null);
      },
      (error: unknown) => {
        this.#running.delete(request.id);
        void this.#respondError(request, error);
      },
    );
  }

  /** `result` is never `undefined`: JSON would leave it out, and a response without one is none. */
  #respond({ id, method, batch }: RunningRequest, result: unknown): Promise<void> {
    return this.#deliver(this.#options.omitVersion ? { id, result } : { jsonrpc: '2.0', id, result }, method, batch);
  }

  #respondError({ id, method, batch }: RunningRequest, thrown: unknown): Promise<void> {
    if (!(thrown instanceof RelayError)) this.#options.onError?.(thrown, method);
    const error = errorToRpc(toRelayError(thrown));
    return this.#deliver(this.#options.omitVersion ? { id, error } : { jsonrpc: '2.0', id, error }, method, batch);
  }

  #refuseFrame(message: unknown, id: unknown, batch: ResponseBatch | undefined): void {
    this.#options.onUnmatched?.(message);
    if (this.#options.answerInvalid === false) return;
    batch?.expect();
    const error = new RelayError('validation_failed', 'The frame is not a JSON-RPC 2.0 request, notification or response');
    this.#refuse(error, isRpcId(id) ? id : null, batch);
  }

  #refuse(fault: RelayError, id: RpcId | null, batch: ResponseBatch | undefined): void {
    const rpcError = errorToRpc(fault);
    const error = fault.code === 'validation_failed' ? { ...rpcError, code: invalidRequestNumber } : rpcError;
    void this.#deliver(this.#options.omitVersion ? { id, error } : { jsonrpc: '2.0', id, error }, '', batch);
  }

  #deliver(response: RpcResponse, method: string, batch: ResponseBatch | undefined): Promise<void> {
    if (this.#ended) return alreadySent;
    if (!batch) return this.#sendResponse(response, method);
    const json = this.#encodeResponse(response, method);
    return batch.add(json);
  }

  #encodeResponse(response: RpcResponse, method: string): string {
    try {
      return encodeJson(response);
    } catch (fault) {
      // One answer JSON cannot hold must not cost the others of its batch theirs.
      this.#options.onError?.(fault, method);
      const error = errorToRpc(toRelayError(fault));
      return encodeJson(this.#options.omitVersion ? { id: response.id, error } : { jsonrpc: '2.0', id: response.id, error });
    }
  }

  #sendResponse(response: RpcResponse, method: string): Promise<void> {
    const sending = this.#send(response);
    if (sending === alreadySent || response.error || response.id === null) return sending;
    const request = new RunningRequest(response.id, method, undefined);
    return sending.catch((fault: unknown) => {
      // Only what JSON cannot hold is worth an answer: every other fault of sending is the end of the connection.
      if (fault instanceof TypeError) return this.#respondError(request, fault);
      return undefined;
    });
  }

  #send(message: unknown): Promise<void> {
    this.#options.trace?.('sent', message);
    return this.#paced(this.#duplex.send(message));
  }

  #sendText(json: string): Promise<void> {
    if (!this.#duplex.sendText || this.#options.trace) return this.#send(JSON.parse(json));
    return this.#paced(this.#duplex.sendText(json));
  }

  #paced(sending: Promise<void>): Promise<void> {
    if (sending !== alreadySent) this.#options.pace?.sending(sending);
    return sending;
  }
}

/** One notification as JSON text, for `JsonRpcPeer.notifyEncoded`. */
export function encodeNotification(method: string, params?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params });
}
