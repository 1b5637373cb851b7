import { RelayError } from 'agent-relay-protocol';
import { IncomingMessages } from './incoming-messages.ts';
import {
  alreadySent,
  asError,
  type CloseReason,
  type DuplexClosed,
  encodeJson,
  handledRejection,
  type MalformedListener,
  type MessageDuplex,
} from './message-duplex.ts';
import { parseJson } from './parse-json.ts';
import { sleep } from './time.ts';

/** The part of a WHATWG `WebSocket` used here, so that this file needs no DOM types and takes any implementation. */
export interface BrowserWebSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  binaryType: string;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void, options?: { once?: boolean }): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
    options?: { once?: boolean },
  ): void;
}

export interface BrowserWebSocketDuplexOptions {
  /** `send` waits above this many unsent bytes. Default 1 MiB. */
  readonly highWaterBytes?: number;
  /** A browser cannot pause a socket: above this much unread or unsent the link ends with `overloaded`. Default 64 MiB. */
  readonly maxBufferedBytes?: number;
  readonly onMalformed?: MalformedListener;
}

const open = 1;
const closedState = 3;
const drainPollMs = 20;
/** How long the other side has to answer a close; a browser waits for as long as the network takes to give up. */
const closeAnswerMs = 2_000;

/** Wraps an open WHATWG `WebSocket`; the duplex owns it from then on. */
export function browserWebSocketDuplex<In = unknown, Out = unknown>(
  socket: BrowserWebSocket,
  options: BrowserWebSocketDuplexOptions = {},
): MessageDuplex<In, Out> {
  return new BrowserDuplex<In, Out>(socket, options);
}

export interface ConnectBrowserWebSocketOptions extends BrowserWebSocketDuplexOptions {
  readonly protocols?: readonly string[];
  /** Gives up connecting with the signal's reason; an open link is not its business. */
  readonly signal?: AbortSignal;
  /** Default 10 000. */
  readonly handshakeTimeoutMs?: number;
  /** Default: the platform's `WebSocket`. */
  readonly createSocket?: (url: string, protocols: string[]) => BrowserWebSocket;
}

/** Opens a WHATWG `WebSocket`. Throws `connection_closed` (a browser tells no more), `timeout`, or the signal's reason. */
export function connectBrowserWebSocket<In = unknown, Out = unknown>(
  url: string | URL,
  options: ConnectBrowserWebSocketOptions = {},
): Promise<MessageDuplex<In, Out>> {
  const {
    signal,
    handshakeTimeoutMs: timeoutMs = 10_000,
    createSocket = (address, protocols): BrowserWebSocket => new WebSocket(address, protocols),
  } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const socket: BrowserWebSocket = createSocket(String(url), [...(options.protocols ?? [])]);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (reason: unknown) => {
      settle();
      reject(reason);
      socket.close();
    };
    const onAbort = () => giveUp(signal?.reason);
    const timer = setTimeout(
      () => giveUp(new RelayError('timeout', 'The WebSocket handshake took too long', { details: { timeoutMs } })),
      timeoutMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.addEventListener(
      'open',
      () => {
        settle();
        resolve(browserWebSocketDuplex<In, Out>(socket, options));
      },
      { once: true },
    );
    socket.addEventListener('error', () => {}, { once: true });
    socket.addEventListener(
      'close',
      ({ code }) => giveUp(new RelayError('connection_closed', 'The WebSocket could not be opened', { details: { code } })),
      {
        once: true,
      },
    );
  });
}

/** States: *open*; *closing* after `close()` or a fault; *closed* with the socket's close event. */
class BrowserDuplex<In, Out> implements MessageDuplex<In, Out> {
  readonly incoming: AsyncIterable<In>;
  readonly closed: Promise<DuplexClosed>;
  readonly #socket: BrowserWebSocket;
  readonly #messages: IncomingMessages<In>;
  readonly #highWaterBytes: number;
  readonly #maxBufferedBytes: number;
  #fault: RelayError | undefined;
  #finish: (code: number, reason: string) => void = () => {};
  #isFinished = false;

  constructor(
    socket: BrowserWebSocket,
    { highWaterBytes = 1 << 20, maxBufferedBytes = 64 << 20, onMalformed }: BrowserWebSocketDuplexOptions,
  ) {
    this.#socket = socket;
    this.#highWaterBytes = highWaterBytes;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#messages = new IncomingMessages<In>({
      highWaterBytes: maxBufferedBytes,
      pause: () => this.#cut('This side reads too slowly'),
      resume: () => {},
      onReturn: () => void this.close(),
      onMalformed,
    });
    this.incoming = this.#messages.iterable;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    this.closed = new Promise((resolve) => {
      const finish = (code: number, reason: string) => {
        if (this.#isFinished) return;
        this.#isFinished = true;
        const said = reason === '' ? this.#fault?.message : reason;
        const closed: DuplexClosed = { ...(code === 1005 ? {} : { code }), ...(said ? { reason: said } : {}) };
        this.#messages.end(() => resolve(closed), this.#fault);
      };
      this.#finish = finish;
      if (socket.readyState === closedState) finish(1006, '');
      socket.addEventListener('close', ({ code, reason }) => finish(code, reason), { once: true });
    });
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(message: Out): Promise<void> {
    try {
      return this.sendText(encodeJson(message));
    } catch (error) {
      return handledRejection(error);
    }
  }

  sendText(json: string): Promise<void> {
    if (this.#socket.readyState !== open) return handledRejection(this.#fault ?? new RelayError('connection_closed', 'The link is closed'));
    if (this.#socket.bufferedAmount > this.#maxBufferedBytes) {
      this.#cut('The other side reads too slowly');
      return handledRejection(this.#fault);
    }
    this.#socket.send(json);
    return this.#socket.bufferedAmount <= this.#highWaterBytes ? alreadySent : this.#whenDrained();
  }

  onMessage(listener: (message: In) => void, onMalformed?: MalformedListener): void {
    this.#messages.listen(listener, onMalformed);
  }

  async close({ code = 1000, reason = '' }: CloseReason = {}): Promise<void> {
    // Browsers let a page say 1000 or its own 3000 to 4999, and throw for any other code.
    this.#socket.close(code === 1000 || (code >= 3000 && code <= 4999) ? code : 1000, reason.slice(0, 40));
    const timer = setTimeout(() => this.#finish(1006, 'The other side did not answer the close'), closeAnswerMs);
    await this.closed;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #receive(data: unknown): void {
    if (this.#isFinished) return;
    const text = typeof data === 'string' ? data : data instanceof ArrayBuffer ? new TextDecoder().decode(data) : '';
    let message: In;
    try {
      message = parseJson(text) as In; // the type parameter is the caller's claim about the peer
    } catch (error) {
      this.#messages.reportMalformed(text, asError(error));
      return;
    }
    this.#messages.deliver(message, text.length);
  }

  /** The platform announces nothing when its buffer drains, so this looks from time to time. */
  #whenDrained(): Promise<void> {
    const drained = (async () => {
      while (this.#socket.bufferedAmount > this.#highWaterBytes) {
        if (this.#socket.readyState !== open) throw this.#fault ?? new RelayError('connection_closed', 'The link closed while sending');
        await sleep(drainPollMs);
      }
    })();
    drained.catch(() => {});
    return drained;
  }

  #cut(message: string): void {
    this.#fault ??= new RelayError('overloaded', message);
    this.#socket.close(this.#fault.closeCode, message);
  }
}
