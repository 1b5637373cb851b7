import type { CloseReason, DuplexClosed, MalformedListener, MessageDuplex } from 'agent-relay-wire';

/** More requests in one frame than this are no batch but an attempt to make one megabyte of input a hundred of output. */
export const MAX_BATCH_CALLS = 1_000;

/** A duplex whose batches have an end: a longer one reaches the reader as `null`, which is no JSON-RPC and answered so. */
export function limitBatches(duplex: MessageDuplex): MessageDuplex {
  return new LimitedDuplex(duplex);
}

const limit = (message: unknown): unknown => (Array.isArray(message) && message.length > MAX_BATCH_CALLS ? null : message);

class LimitedDuplex implements MessageDuplex {
  readonly incoming: AsyncIterable<unknown>;
  readonly closed: Promise<DuplexClosed>;
  readonly #inner: MessageDuplex;

  constructor(inner: MessageDuplex) {
    this.#inner = inner;
    this.incoming = inner.incoming;
    this.closed = inner.closed;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  send(message: unknown): Promise<void> {
    return this.#inner.send(message);
  }

  sendText(json: string): Promise<void> {
    return this.#inner.sendText?.(json) ?? this.#inner.send(JSON.parse(json));
  }

  onMessage(listener: (message: unknown) => void, onMalformed?: MalformedListener): void {
    this.#inner.onMessage?.((message) => listener(limit(message)), onMalformed);
  }

  hold(): void {
    this.#inner.hold?.();
  }

  release(): void {
    this.#inner.release?.();
  }

  close(reason?: CloseReason): Promise<void> {
    return this.#inner.close(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
