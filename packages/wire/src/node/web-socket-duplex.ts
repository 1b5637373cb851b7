import type { Socket } from 'node:net';
import { RelayError } from 'agent-relay-protocol';
import type { RawData, WebSocket } from 'ws';
import { IncomingMessages } from '../incoming-messages.ts';
import {
  alreadySent,
  asError,
  type CloseReason,
  type DuplexClosed,
  encodeJson,
  handledRejection,
  type MalformedListener,
  type MessageDuplex,
} from '../message-duplex.ts';
import { parseJson } from '../parse-json.ts';
import { Heartbeat } from './heartbeat.ts';
import { PacedLines } from './paced-lines.ts';
import { sendable } from './sendable.ts';
import { TurnCork } from './turn-cork.ts';

export interface WebSocketDuplexOptions {
  /** Ping this often, and end the link (code 1006) when a whole interval brought neither pong nor message. Default 30 000; 0: never. */
  readonly pingIntervalMs?: number;
  /** `send` waits above this many unsent bytes, reading pauses above this many unread ones. Default 1 MiB. */
  readonly highWaterBytes?: number;
  /** Above this many unsent bytes the other side counts as lost: the link ends and `send` rejects with `overloaded`. Default 64 MiB. */
  readonly maxBufferedBytes?: number;
  /**
   * `message`: one frame is one JSON text. `lines`: JSON lines, each sent with `\n`, split over frames in any way. `text`: frames as they come, each
   * a string that nobody parses, sent on with `sendText`. Default `message`.
   */
  readonly framing?: 'message' | 'lines' | 'text';
  /** Send longer messages as several frames of one message, for peers that limit a frame. Default: never split. */
  readonly maxFrameBytes?: number;
  /** How long `close` waits for the other side's close frame before it cuts the link. Default 2 000. */
  readonly closeTimeoutMs?: number;
  /**
   * Whether a message may nest as deep as it likes: for a reader that measures each one itself, and can then answer it by its id. Default: it is
   * malformed beyond `MAX_JSON_DEPTH`.
   */
  readonly takesAnyDepth?: boolean;
  readonly onMalformed?: MalformedListener;
}

/** Wraps an open `ws` socket, accepted or connected; the duplex owns it from then on. */
export function webSocketDuplex<In = unknown, Out = unknown>(
  socket: WebSocket,
  options: WebSocketDuplexOptions = {},
): MessageDuplex<In, Out> {
  return new WebSocketDuplex<In, Out>(socket, options);
}

/** States: *open*; *closing* after `close()` or a fault; *closed* with the socket's close event. */
class WebSocketDuplex<In, Out> implements MessageDuplex<In, Out> {
  readonly incoming: AsyncIterable<In>;
  readonly closed: Promise<DuplexClosed>;
  readonly #socket: WebSocket;
  readonly #messages: IncomingMessages<In>;
  readonly #cork: TurnCork;
  readonly #lines: PacedLines | undefined;
  readonly #isText: boolean;
  readonly #highWaterBytes: number;
  readonly #maxBufferedBytes: number;
  readonly #maxFrameBytes: number;
  readonly #closeTimeoutMs: number;
  readonly #parseText: (text: string) => unknown;
  /** As many messages lie unread as may. */
  #isFull = false;
  #fault: RelayError | undefined;
  #confirmations = 0;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: WebSocket, options: WebSocketDuplexOptions) {
    this.#socket = socket;
    this.#highWaterBytes = options.highWaterBytes ?? 1 << 20;
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 64 << 20;
    this.#maxFrameBytes = options.maxFrameBytes ?? Number.POSITIVE_INFINITY;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 2_000;
    this.#parseText = options.takesAnyDepth === true ? JSON.parse : parseJson;
    this.#cork = new TurnCork(transportOf(socket));
    this.#isText = options.framing === 'text';
    this.#lines = options.framing === 'lines' ? this.#pacedLines() : undefined;
    this.#messages = new IncomingMessages<In>({
      highWaterBytes: this.#highWaterBytes,
      pause: () => {
        this.#isFull = true;
        this.#pause();
      },
      resume: () => {
        this.#isFull = false;
        if (!this.#lines?.isBusy) socket.resume();
      },
      onReturn: () => void this.close(),
      onMalformed: options.onMalformed,
    });
    this.incoming = this.#messages.iterable;
    const heartbeat = new Heartbeat(socket, options.pingIntervalMs ?? 30_000, () => {
      this.#cut(new RelayError('connection_closed', 'The other side stopped answering pings'));
    });
    socket.on('message', (frame: RawData) => {
      heartbeat.beat();
      this.#receive(frame);
    });
    // Always followed by `close`; without a listener it would end the process.
    socket.on('error', (error) => {
      this.#fault ??= new RelayError('connection_closed', error.message, { cause: error });
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        heartbeat.stop();
        this.#finish(code, reason.toString(), resolve);
      });
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
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN)
      return handledRejection(this.#fault ?? new RelayError('connection_closed', 'The link is closed'));
    const buffered = socket.bufferedAmount;
    if (buffered > this.#maxBufferedBytes) {
      this.#cut(new RelayError('overloaded', 'The other side reads too slowly', { details: { bufferedBytes: buffered } }));
      return handledRejection(this.#fault);
    }
    this.#cork.begin();
    const text = this.#lines ? `${json}\n` : json;
    if (buffered + text.length <= this.#highWaterBytes) {
      this.#write(text, undefined);
      return alreadySent;
    }
    return this.#writeAndWait(text);
  }

  confirm(): Promise<void> {
    const socket = this.#socket;
    this.#confirmations += 1;
    const mark = String(this.#confirmations);
    const confirmed = new Promise<void>((resolve, reject) => {
      const settle = () => {
        socket.off('pong', onPong);
        socket.off('close', onClose);
      };
      const onPong = (data: Buffer) => {
        // A pong to a later ping stands for those before it.
        if (!(Number(data.toString()) >= Number(mark))) return;
        settle();
        resolve();
      };
      const onClose = () => {
        settle();
        reject(this.#fault ?? new RelayError('connection_closed', 'The link closed before it was confirmed'));
      };
      if (socket.readyState !== socket.OPEN) {
        onClose();
        return;
      }
      socket.on('pong', onPong);
      socket.once('close', onClose);
      socket.ping(mark);
    });
    confirmed.catch(() => {});
    return confirmed;
  }

  onMessage(listener: (message: In) => void, onMalformed?: MalformedListener): void {
    this.#messages.listen(listener, onMalformed);
  }

  hold(): void {
    this.#messages.hold();
  }

  release(): void {
    this.#messages.release();
  }

  async close(reason: CloseReason = {}): Promise<void> {
    this.#cork.end();
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.close(reason.code ?? 1000, cutToCloseReason(reason.reason ?? ''));
    // Unread messages keep a paused socket from ever seeing the answering close frame.
    if (this.#socket.isPaused) this.#socket.resume();
    if (this.#socket.readyState !== this.#socket.CLOSED) {
      this.#closeTimer ??= setTimeout(() => this.#socket.terminate(), this.#closeTimeoutMs);
    }
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #receive(frame: RawData): void {
    const text = textOf(frame);
    if (this.#isText) {
      this.#messages.deliver(text as In, text.length); // the type parameter is the caller’s claim here too
      return;
    }
    if (!this.#lines) {
      this.#parse(text);
      return;
    }
    this.#lines.push(text);
  }

  #pacedLines(): PacedLines {
    return new PacedLines({
      onLine: ({ text, isTooLong }) => {
        if (isTooLong || text.trim() !== '') this.#parse(text);
      },
      onBusy: () => this.#pause(),
      onIdle: () => {
        if (!this.#isFull) this.#socket.resume();
      },
    });
  }

  /** While it closes, what still comes has to be passed over up to the answering close frame. */
  #pause(): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.pause();
  }

  #parse(text: string): void {
    let message: In;
    try {
      message = this.#parseText(text) as In; // the type parameter is the caller's claim about the peer
    } catch (error) {
      this.#messages.reportMalformed(text, asError(error));
      return;
    }
    this.#messages.deliver(message, text.length);
  }

  #writeAndWait(text: string): Promise<void> {
    const sending = new Promise<void>((resolve, reject) => {
      // Called in every case: a destroyed socket answers each of its writes with an error.
      this.#write(text, (error) => {
        if (error) reject(this.#fault ?? new RelayError('connection_closed', 'The link closed while sending', { cause: error }));
        else resolve();
      });
    });
    sending.catch(() => {});
    return sending;
  }

  #write(text: string, onWritten: ((error?: Error) => void) | undefined): void {
    // A UTF-16 unit is at most three bytes of UTF-8: most messages need no counting.
    if (text.length <= this.#maxFrameBytes / 3) {
      this.#socket.send(sendable(text), { binary: false }, onWritten);
      return;
    }
    const bytes = Buffer.from(text);
    for (let start = 0; start < bytes.length; start += this.#maxFrameBytes) {
      const end = start + this.#maxFrameBytes;
      const isLast = end >= bytes.length;
      this.#socket.send(bytes.subarray(start, end), { fin: isLast, binary: false }, isLast ? onWritten : undefined);
    }
  }

  #cut(fault: RelayError): void {
    this.#fault ??= fault;
    this.#cork.end();
    this.#socket.terminate();
  }

  #finish(code: number, reason: string, resolve: (closed: DuplexClosed) => void): void {
    clearTimeout(this.#closeTimer);
    this.#cork.end();
    // 1005 is the standard's word for "no code was given".
    const said = reason === '' ? this.#fault?.message : reason;
    const closed: DuplexClosed = { ...(code === 1005 ? {} : { code }), ...(said ? { reason: said } : {}) };
    const end = () => this.#messages.end(() => resolve(closed), this.#fault);
    if (this.#lines) this.#lines.end(end);
    else end();
  }
}

/** `ws` names its socket nowhere else once the handshake is over; without it frames are sent as they come, which is only slower. */
export function transportOf(socket: WebSocket): Pick<Socket, 'cork' | 'uncork'> | undefined {
  const transport: unknown = Reflect.get(socket, '_socket');
  return isCorkable(transport) ? transport : undefined;
}

function isCorkable(value: unknown): value is Pick<Socket, 'cork' | 'uncork'> {
  return typeof value === 'object' && value !== null && 'cork' in value && 'uncork' in value;
}

function textOf(frame: RawData): string {
  if (Buffer.isBuffer(frame)) return frame.toString();
  return Array.isArray(frame) ? Buffer.concat(frame).toString() : Buffer.from(frame).toString();
}

/** A close frame holds 123 bytes of reason; `ws` throws on more. */
function cutToCloseReason(reason: string): string {
  let cut = reason;
  while (Buffer.byteLength(cut) > 123) cut = cut.slice(0, Math.min(cut.length - 1, 123));
  return cut;
}
