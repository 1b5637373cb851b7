import { RelayError, toRelayError } from 'agent-relay-protocol';
import { errorFromRpc, errorToRpc, type JsonRpcErrorObject } from './json-rpc-error.ts';
import { ResponseBatch, type RpcId, type RpcResponse, RunningRequest } from './json-rpc-running.ts';
import { alreadySent, type CloseReason, type DuplexClosed, handledRejection, type MessageDuplex } from './message-duplex.ts';

/** What a request handler knows of its request. `signal` aborts when the connection ends or `abortRequest` is called. */
export interface RequestContext {
  readonly id: RpcId;
  readonly method: string;
  readonly signal: AbortSignal;
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
  /** For requests that name no `timeoutMs` of their own. Default: none. */
  readonly defaultTimeoutMs?: number;
}

export interface RequestOptions {
  /** Rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Rejects with `timeout`. */
  readonly timeoutMs?: number;
}

interface PendingRequest {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  timer: ReturnType<typeof setTimeout> | undefined;
  signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
}

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
  readonly #pending = new Map<RpcId, PendingRequest>();
  readonly #running = new Map<RpcId, RunningRequest>();
  #lastId = 0;
  #ended: RelayError | undefined;

  constructor(duplex: MessageDuplex, options: JsonRpcPeerOptions = {}) {
    this.#duplex = duplex;
    this.#options = options;
    this.#maxConcurrentRequests = options.maxConcurrentRequests ?? 256;
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

  /** Resolves with the result as the peer sent it: parse it. Rejects with the peer's error, `connection_closed`, `timeout` or the signal's reason. */
  request(method: string, params?: unknown, options?: RequestOptions): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#lastId += 1;
    const id = this.#options.requestId === 'string' ? String(this.#lastId) : this.#lastId;
    return new Promise((resolve, reject) => {
      const pending: PendingRequest = { method, resolve, reject, timer: undefined, signal: undefined, onAbort: undefined };
      this.#pending.set(id, pending);
      const timeoutMs = options?.timeoutMs ?? this.#options.defaultTimeoutMs;
      if (timeoutMs !== undefined) this.#startTimer(id, pending, timeoutMs);
      if (signal) {
        pending.signal = signal;
        pending.onAbort = () => this.#abandon(id, signal.reason);
        signal.addEventListener('abort', pending.onAbort, { once: true });
      }
      const sending = this.#send(this.#options.omitVersion ? { id, method, params } : { jsonrpc: '2.0', id, method, params });
      if (sending !== alreadySent) sending.catch((error: unknown) => this.#takePending(id)?.reject(error));
    });
  }

  /** Resolves like `MessageDuplex.send`; a rejection may be ignored. */
  notify(method: string, params?: unknown): Promise<void> {
    if (this.#ended) return handledRejection(this.#ended);
    return this.#send(this.#options.omitVersion ? { method, params } : { jsonrpc: '2.0', method, params });
  }

  /** Sends a notification made by `encodeNotification`, so that one broadcast is serialised once for all of its receivers. */
  notifyEncoded(json: string): Promise<void> {
    if (this.#ended) return handledRejection(this.#ended);
    if (!this.#duplex.sendText || this.#options.trace) return this.#send(JSON.parse(json));
    return this.#duplex.sendText(json);
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
    try {
      if (!isListening) for await (const message of this.#duplex.incoming) this.#receive(message);
    } catch (error) {
      cause = error;
    }
    const closed = await this.#duplex.closed;
    this.#end(closed, cause);
    return closed;
  }

  #end(closed: DuplexClosed, cause: unknown): void {
    this.#ended = new RelayError('connection_closed', 'The connection ended before an answer came', {
      details: { ...closed },
      ...(cause === undefined ? {} : { cause }),
    });
    for (const id of [...this.#pending.keys()]) this.#takePending(id)?.reject(this.#ended);
    for (const running of this.#running.values()) running.abort(this.#ended);
    this.#running.clear();
  }

  readonly #receive = (message: unknown): void => {
    this.#options.trace?.('received', message);
    if (!Array.isArray(message)) this.#dispatch(message, undefined);
    else if (message.length === 0) this.#refuse(message, undefined);
    else this.#receiveBatch(message);
  };

  readonly #receiveMalformed = (): void => {
    if (this.#options.answerInvalid === false) return;
    this.#answer(null, undefined, errorToRpc(new RelayError('parse_error', 'The frame is not valid JSON')), undefined);
  };

  #receiveBatch(messages: readonly unknown[]): void {
    const batch = new ResponseBatch((responses) => void this.#send(responses));
    for (const message of messages) this.#dispatch(message, batch);
    batch.seal();
  }

  #dispatch(message: unknown, batch: ResponseBatch | undefined): void {
    if (typeof message !== 'object' || message === null) return this.#refuse(message, batch);
    const frame: Frame = message;
    if (frame.jsonrpc !== undefined && frame.jsonrpc !== '2.0') return this.#refuse(message, batch);
    if (typeof frame.method === 'string') {
      if (frame.id === undefined) return this.#runNotification(frame.method, frame.params);
      if (isRpcId(frame.id)) return this.#runRequest(frame.id, frame.method, frame.params, batch);
    } else if (frame.method === undefined && (frame.result !== undefined || frame.error !== undefined)) {
      return this.#settle(frame, message);
    }
    this.#refuse(message, batch);
  }

  #settle(frame: Frame, message: unknown): void {
    const pending = isRpcId(frame.id) ? this.#takePending(frame.id) : undefined;
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

  #runRequest(id: RpcId, method: string, params: unknown, batch: ResponseBatch | undefined): void {
    batch?.expect();
    const { onRequest } = this.#options;
    if (!onRequest) return this.#answerError(id, method, new RelayError('unknown_method', `There is no method ${method}`), batch);
    if (this.#running.size >= this.#maxConcurrentRequests) {
      const details = { maxConcurrentRequests: this.#maxConcurrentRequests };
      return this.#answerError(
        id,
        method,
        new RelayError('overloaded', 'Too many requests are running on this connection', { details }),
        batch,
      );
    }
    if (this.#running.has(id)) {
      const issues = [{ path: 'id', message: 'a request with this id is still running' }];
      return this.#answerError(id, method, new RelayError('validation_failed', 'The request id is in use', { issues }), batch);
    }
    const running = new RunningRequest(id, method);
    try {
      const outcome = onRequest(method, params, running);
      if (!(outcome instanceof Promise)) return this.#answer(id, outcome, undefined, batch);
      this.#running.set(id, running);
      outcome.then(
        (result) => {
          this.#running.delete(id);
          this.#answer(id, result, undefined, batch);
        },
        (error: unknown) => {
          this.#running.delete(id);
          this.#answerError(id, method, error, batch);
        },
      );
    } catch (error) {
      this.#answerError(id, method, error, batch);
    }
  }

  #answerError(id: RpcId, method: string, error: unknown, batch: ResponseBatch | undefined): void {
    if (!(error instanceof RelayError)) this.#options.onError?.(error, method);
    this.#answer(id, undefined, errorToRpc(toRelayError(error)), batch);
  }

  #answer(id: RpcId | null, result: unknown, error: JsonRpcErrorObject | undefined, batch: ResponseBatch | undefined): void {
    if (this.#ended) return;
    // A response without `result` is no response, and JSON leaves `undefined` out.
    const answer: RpcResponse = error ? { id, error } : { id, result: result ?? null };
    const response: RpcResponse = this.#options.omitVersion ? answer : { jsonrpc: '2.0', ...answer };
    if (batch) return batch.add(response);
    const sending = this.#send(response);
    if (sending === alreadySent || error) return;
    sending.catch((fault: unknown) => {
      // Only what JSON cannot hold is worth an answer: every other fault of sending is the end of the connection.
      if (fault instanceof TypeError && id !== null) this.#answerError(id, '', fault, undefined);
    });
  }

  #refuse(message: unknown, batch: ResponseBatch | undefined): void {
    this.#options.onUnmatched?.(message);
    if (this.#options.answerInvalid === false) return;
    const id = typeof message === 'object' && message !== null && 'id' in message && isRpcId(message.id) ? message.id : null;
    const error = new RelayError('validation_failed', 'The frame is not a JSON-RPC 2.0 request, notification or response');
    batch?.expect();
    this.#answer(id, undefined, { ...errorToRpc(error), code: invalidRequestNumber }, batch);
  }

  #startTimer(id: RpcId, pending: PendingRequest, timeoutMs: number): void {
    pending.timer = setTimeout(() => {
      this.#abandon(id, new RelayError('timeout', `${pending.method} was not answered in time`, { details: { timeoutMs } }));
    }, timeoutMs);
  }

  #abandon(id: RpcId, reason: unknown): void {
    const pending = this.#takePending(id);
    if (!pending) return;
    pending.reject(reason);
    this.#options.onAbandoned?.(id, pending.method);
  }

  #takePending(id: RpcId): PendingRequest | undefined {
    const pending = this.#pending.get(id);
    if (!pending) return undefined;
    this.#pending.delete(id);
    if (pending.timer !== undefined) clearTimeout(pending.timer);
    if (pending.onAbort) pending.signal?.removeEventListener('abort', pending.onAbort);
    return pending;
  }

  #send(message: unknown): Promise<void> {
    this.#options.trace?.('sent', message);
    return this.#duplex.send(message);
  }
}

/** One notification as JSON text, for `JsonRpcPeer.notifyEncoded`. */
export function encodeNotification(method: string, params?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params });
}
