import { RelayError } from 'agent-relay-protocol';
import { createParser, type EventSourceParser } from 'eventsource-parser';

/** One event of a `text/event-stream`. `retry` is the reconnection time in milliseconds the server named since the event before. */
export interface SseEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data: string;
  readonly retry?: number;
}

export interface ParseSseOptions {
  /** Ends the loop with the signal's reason and cancels the stream. */
  readonly signal?: AbortSignal | undefined;
  /** Comments are how a server shows that it is alive while it has nothing to say. */
  readonly onComment?: (comment: string) => void;
  /** Longest single event, in characters. Default 64 Mi; a longer one ends the loop with `payload_too_large`. */
  readonly maxEventLength?: number;
}

/**
 * Reads a `text/event-stream` (WHATWG HTML, section 9.2) event by event; it ends when the stream does. An event cut off by the end is
 * not delivered. Leaving the loop cancels the stream, also while it waits.
 */
export function parseSseStream(stream: ReadableStream<Uint8Array>, options: ParseSseOptions = {}): AsyncIterableIterator<SseEvent> {
  return new SseReader(stream, options);
}

class SseReader implements AsyncIterableIterator<SseEvent> {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #parser: EventSourceParser;
  readonly #decoder = new TextDecoder();
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => void this.#cancel();
  #events: SseEvent[] = [];
  #retry: number | undefined;
  #fault: RelayError | undefined;

  constructor(stream: ReadableStream<Uint8Array>, { signal, onComment, maxEventLength = 64 << 20 }: ParseSseOptions) {
    this.#reader = stream.getReader();
    this.#signal = signal;
    this.#parser = createParser({
      maxBufferSize: maxEventLength,
      onEvent: ({ id, event, data }) => {
        const retry = this.#retry;
        this.#retry = undefined;
        this.#events.push({
          ...(id === undefined ? {} : { id }),
          ...(event === undefined ? {} : { event }),
          data,
          ...(retry === undefined ? {} : { retry }),
        });
      },
      onRetry: (retry) => {
        this.#retry = retry;
      },
      onComment: (comment) => onComment?.(comment),
      onError: (error) => {
        if (error.type !== 'max-buffer-size-exceeded') return;
        this.#fault = new RelayError('payload_too_large', 'One event of the stream is too long', { details: { maxEventLength } });
      },
    });
    if (signal?.aborted) this.#onAbort();
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  async next(): Promise<IteratorResult<SseEvent, undefined>> {
    for (;;) {
      this.#signal?.throwIfAborted();
      const event = this.#events.shift();
      if (event) return { done: false, value: event };
      if (this.#fault) {
        await this.return();
        throw this.#fault;
      }
      const chunk = await this.#reader.read();
      if (chunk.done) {
        this.#signal?.removeEventListener('abort', this.#onAbort);
        this.#signal?.throwIfAborted();
        return { done: true, value: undefined };
      }
      this.#parser.feed(this.#decoder.decode(chunk.value, { stream: true }));
    }
  }

  async return(): Promise<IteratorResult<SseEvent, undefined>> {
    this.#events = [];
    this.#signal?.removeEventListener('abort', this.#onAbort);
    await this.#cancel();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #cancel(): Promise<void> {
    // A stream that has failed already answers with its fault, which the loop has seen or no longer wants.
    await this.#reader.cancel(this.#signal?.reason).catch(() => {});
  }
}

export interface SseEventToEncode {
  readonly id?: string | number;
  readonly event?: string;
  readonly data?: string;
  /** Milliseconds. */
  readonly retry?: number;
  readonly comment?: string;
}

const lineBreak = /\r\n|\r|\n/;

/**
 * One block of a `text/event-stream`, its empty last line included. A line break in `data` or `comment` becomes a further line; in `id`
 * or `event` it would forge fields, so it throws `validation_failed`.
 */
export function encodeSseEvent({ id, event, data, retry, comment }: SseEventToEncode): string {
  const lines: string[] = [];
  for (const line of comment?.split(lineBreak) ?? []) lines.push(`: ${line}`);
  if (id !== undefined) lines.push(`id: ${oneLine('id', String(id))}`);
  if (event !== undefined) lines.push(`event: ${oneLine('event', event)}`);
  if (retry !== undefined) lines.push(`retry: ${retry}`);
  for (const line of data?.split(lineBreak) ?? []) lines.push(`data: ${line}`);
  return `${lines.join('\n')}\n\n`;
}

function oneLine(path: string, text: string): string {
  if (!lineBreak.test(text) && !text.includes('\0')) return text;
  throw new RelayError('validation_failed', `The ${path} of a server-sent event is one line`, {
    issues: [{ path, message: 'holds a line break' }],
  });
}
