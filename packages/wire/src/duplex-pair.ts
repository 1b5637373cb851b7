import { RelayError } from 'agent-relay-protocol';
import { IncomingMessages } from './incoming-messages.ts';
import {
  alreadySent,
  type CloseReason,
  type DuplexClosed,
  encodeJson,
  handledRejection,
  type MalformedListener,
  type MessageDuplex,
} from './message-duplex.ts';

export interface DuplexPairOptions {
  /** Hand each message over as JSON would carry it, so that the sides share no objects. Default true. */
  readonly copy?: boolean;
  /** What may wait unread on one side before the other's `send` waits. Default 1 MiB of JSON text (or 1 Mi messages without `copy`). */
  readonly highWaterBytes?: number;
}

/** Two connected duplexes in memory: what one sends, the other receives; closing either closes both. */
export function createDuplexPair<A = unknown, B = unknown>(options: DuplexPairOptions = {}): [MessageDuplex<A, B>, MessageDuplex<B, A>] {
  const link = new Link();
  const left = new MemoryDuplex<A, B>(link, options);
  const right = new MemoryDuplex<B, A>(link, options);
  left.connect((message, sizeBytes) => right.take(message, sizeBytes), right);
  right.connect((message, sizeBytes) => left.take(message, sizeBytes), left);
  return [left, right];
}

/** What both halves know. */
class Link {
  isClosed = false;
  readonly onClose: ((closed: DuplexClosed) => void)[] = [];

  close(closed: DuplexClosed): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const listener of this.onClose) listener(closed);
  }
}

class MemoryDuplex<In, Out> implements MessageDuplex<In, Out> {
  readonly incoming: AsyncIterable<In>;
  readonly closed: Promise<DuplexClosed>;
  readonly #link: Link;
  readonly #copy: boolean;
  readonly #messages: IncomingMessages<In>;
  #room: { readonly promise: Promise<void>; readonly open: () => void } | undefined;
  #deliver: (message: Out, sizeBytes: number) => void = () => {};
  #other: { readonly room: Promise<void>; readonly waitingBytes: number } = { room: alreadySent, waitingBytes: 0 };
  #onTheWayBytes = 0;

  constructor(link: Link, { copy = true, highWaterBytes = 1 << 20 }: DuplexPairOptions) {
    this.#link = link;
    this.#copy = copy;
    this.#messages = new IncomingMessages<In>({
      highWaterBytes,
      pause: () => {
        let open = () => {};
        const promise = new Promise<void>((resolve) => {
          open = resolve;
        });
        this.#room = { promise, open };
      },
      resume: () => this.#openRoom(),
      onReturn: () => link.close({}),
    });
    this.incoming = this.#messages.iterable;
    this.closed = new Promise((resolve) => {
      link.onClose.push((closed) => {
        this.#openRoom();
        this.#messages.end(() => resolve(closed));
      });
    });
  }

  connect(
    deliver: (message: Out, sizeBytes: number) => void,
    other: { readonly room: Promise<void>; readonly waitingBytes: number },
  ): void {
    this.#deliver = deliver;
    this.#other = other;
  }

  get room(): Promise<void> {
    return this.#room?.promise ?? alreadySent;
  }

  get waitingBytes(): number {
    return this.#onTheWayBytes + this.#messages.waitingBytes;
  }

  get bufferedBytes(): number {
    return this.#other.waitingBytes;
  }

  take(message: In, sizeBytes: number): void {
    // Always a turn later: a peer that answers while its sender is still sending would surprise both.
    this.#onTheWayBytes += sizeBytes;
    queueMicrotask(() => {
      this.#onTheWayBytes -= sizeBytes;
      this.#messages.deliver(message, sizeBytes);
    });
  }

  send(message: Out): Promise<void> {
    if (this.#link.isClosed) return handledRejection(new RelayError('connection_closed', 'The link is closed'));
    if (!this.#copy) {
      this.#deliver(message, 1);
      return this.#other.room;
    }
    try {
      return this.sendText(encodeJson(message));
    } catch (error) {
      return handledRejection(error);
    }
  }

  sendText(json: string): Promise<void> {
    if (this.#link.isClosed) return handledRejection(new RelayError('connection_closed', 'The link is closed'));
    this.#deliver(JSON.parse(json), json.length);
    return this.#other.room;
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
    // What was sent before must arrive before the end.
    queueMicrotask(() => this.#link.close(reason));
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #openRoom(): void {
    this.#room?.open();
    this.#room = undefined;
  }
}
