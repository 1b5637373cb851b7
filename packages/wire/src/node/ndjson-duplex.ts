import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RelayError } from 'agent-relay-protocol';
import { IncomingMessages } from '../incoming-messages.ts';
import { LineDecoder } from '../line-decoder.ts';
import {
  alreadySent,
  type CloseReason,
  type DuplexClosed,
  encodeJson,
  handledRejection,
  type MalformedListener,
  type MessageDuplex,
} from '../message-duplex.ts';
import { parseNdjsonLine } from '../ndjson.ts';
import { settlesWithin } from '../time.ts';
import { howItEnded } from './last-words.ts';
import type { ChildHandle } from './spawn-process.ts';
import { TurnCork } from './turn-cork.ts';

export interface NdjsonDuplexOptions {
  /** A longer line is reported to `onMalformed` and skipped. Default 64 MiB. */
  readonly maxLineBytes?: number;
  /** `send` waits above this many unsent bytes, reading pauses above this many unread ones. Default 1 MiB. */
  readonly highWaterBytes?: number;
  /** Above this many unsent bytes the other side counts as lost. Default 64 MiB. */
  readonly maxBufferedBytes?: number;
  /** A line that is no JSON: programs print stray text to their stdout, so it is never answered, only told here. */
  readonly onMalformed?: MalformedListener;
  /** How long `close` waits: for a child to exit by itself once its stdin has ended, for a stream to be written out. Default 2 000. */
  readonly closeTimeoutMs?: number;
}

/**
 * JSON lines over a child's stdin and stdout. It ends when the child closes its stdout or exits, with how it exited as `reason`.
 * `close()` ends stdin, waits, and then ends the whole process tree.
 */
export function ndjsonDuplex<In = unknown, Out = unknown>(child: ChildHandle, options: NdjsonDuplexOptions = {}): MessageDuplex<In, Out> {
  const closeTimeoutMs = options.closeTimeoutMs ?? 2_000;
  return new NdjsonDuplex<In, Out>(child.stdout, child.stdin, options, {
    over: child.exited,
    end: async () => {
      await settlesWithin(child.exited, closeTimeoutMs);
      await child.kill();
    },
    explain: async () =>
      `The process ${(await settlesWithin(child.exited, quietMs)) ? howItEnded(await child.exited) : 'closed its stdout'}`,
  });
}

/** JSON lines over any pair of streams, e.g. this process's own stdin and stdout, or both halves of a socket. */
export function ndjsonStreams<In = unknown, Out = unknown>(
  readable: Readable,
  writable: Writable,
  options: NdjsonDuplexOptions = {},
): MessageDuplex<In, Out> {
  return new NdjsonDuplex<In, Out>(readable, writable, options, {
    over: undefined,
    end: async () => {
      await settlesWithin(finished(writable), options.closeTimeoutMs ?? 2_000);
      writable.destroy();
      readable.destroy();
    },
    explain: async () => undefined,
  });
}

/** A child's last output may reach us after the news of its exit; grandchildren may hold the pipe open for ever. */
const quietMs = 250;

interface Ending {
  /** The other side has ended; what it has written is still read, until the stream ends or falls silent. */
  readonly over: Promise<unknown> | undefined;
  /** What `close` does after it has ended the writable. */
  readonly end: () => Promise<void>;
  readonly explain: () => Promise<string | undefined>;
}

/** States: *open*; *closing* after `close()`; *closed* when the readable has ended, or its ending says so. */
class NdjsonDuplex<In, Out> implements MessageDuplex<In, Out> {
  readonly incoming: AsyncIterable<In>;
  readonly closed: Promise<DuplexClosed>;
  readonly #writable: Writable;
  readonly #ending: Ending;
  readonly #messages: IncomingMessages<In>;
  readonly #lines: LineDecoder;
  readonly #cork: TurnCork;
  readonly #highWaterBytes: number;
  readonly #maxBufferedBytes: number;
  readonly #waiting = new Set<(error: unknown) => void>();
  #fault: RelayError | undefined;
  readonly #readable: Readable;
  #receivedAt = 0;
  #isOver = false;
  #closing: Promise<void> | undefined;

  constructor(readable: Readable, writable: Writable, options: NdjsonDuplexOptions, ending: Ending) {
    this.#readable = readable;
    this.#writable = writable;
    this.#ending = ending;
    this.#highWaterBytes = options.highWaterBytes ?? 1 << 20;
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 64 << 20;
    this.#lines = new LineDecoder({ maxLineBytes: options.maxLineBytes });
    this.#cork = new TurnCork(writable);
    this.#messages = new IncomingMessages<In>({
      highWaterBytes: this.#highWaterBytes,
      pause: () => readable.pause(),
      resume: () => readable.resume(),
      onReturn: () => void this.close(),
      onMalformed: options.onMalformed,
    });
    this.incoming = this.#messages.iterable;
    readable.on('data', (chunk: Uint8Array | string) => this.#receive(chunk));
    writable.on('error', () => {});
    const ended = new Promise<void>((resolve) => {
      readable.once('end', resolve).once('close', resolve).once('error', resolve);
    });
    this.closed = this.#finish(ended, ending.over);
  }

  get bufferedBytes(): number {
    return this.#writable.writableLength;
  }

  send(message: Out): Promise<void> {
    try {
      return this.sendText(encodeJson(message));
    } catch (error) {
      return handledRejection(error);
    }
  }

  sendText(json: string): Promise<void> {
    const writable = this.#writable;
    if (this.#isOver || this.#closing || !writable.writable) return handledRejection(this.#connectionClosed());
    if (writable.writableLength > this.#maxBufferedBytes) {
      this.#fault ??= new RelayError('overloaded', 'The other side reads too slowly', {
        details: { bufferedBytes: writable.writableLength },
      });
      void this.close();
      return handledRejection(this.#fault);
    }
    this.#cork.begin();
    if (writable.writableLength + json.length <= this.#highWaterBytes) {
      writable.write(`${json}\n`);
      return alreadySent;
    }
    return this.#writeAndWait(`${json}\n`);
  }

  onMessage(listener: (message: In) => void): void {
    this.#messages.listen(listener, undefined);
  }

  hold(): void {
    this.#messages.hold();
  }

  release(): void {
    this.#messages.release();
  }

  close(_reason?: CloseReason): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#cork.end();
    this.#writable.end();
    await this.#ending.end();
    await this.closed;
  }

  #receive(chunk: Uint8Array | string): void {
    this.#receivedAt = performance.now();
    for (const line of this.#lines.push(chunk)) {
      if (!line.isTooLong && line.text.trim() === '') continue;
      const item = parseNdjsonLine(line);
      if ('malformed' in item) this.#messages.reportMalformed(item.malformed, item.error);
      // The type parameter is the caller's claim about the peer, here as in every duplex.
      else this.#messages.deliver(item.message as In, line.text.length);
    }
  }

  #writeAndWait(line: string): Promise<void> {
    const sending = new Promise<void>((resolve, reject) => {
      this.#waiting.add(reject);
      this.#writable.write(line, (error) => {
        this.#waiting.delete(reject);
        if (error) reject(this.#connectionClosed(error));
        else resolve();
      });
    });
    sending.catch(() => {});
    return sending;
  }

  async #finish(ended: Promise<void>, over: Promise<unknown> | undefined): Promise<DuplexClosed> {
    await Promise.race([ended, over ?? ended]);
    let hasEnded = over === undefined;
    while (!hasEnded) hasEnded = (await settlesWithin(ended, quietMs)) || (await this.#isSilent());
    this.#isOver = true;
    this.#readable.destroy();
    this.#cork.end();
    for (const line of this.#lines.end()) if (line.text.trim() !== '') this.#receive(`${line.text}\n`);
    for (const reject of this.#waiting) reject(this.#connectionClosed());
    this.#waiting.clear();
    const reason = this.#fault?.message ?? (await this.#ending.explain());
    return new Promise((resolve) => {
      this.#messages.end(() => resolve(reason === undefined ? {} : { reason }), this.#fault);
    });
  }

  /** A paused stream is not silent: its reader has not come to what is there. Nor had a process that was busy, or kept from running, until now. */
  async #isSilent(): Promise<boolean> {
    for (let turns = 0; turns < 2; turns += 1) await nextTurn();
    return !this.#readable.isPaused() && performance.now() - this.#receivedAt >= quietMs;
  }

  #connectionClosed(cause?: Error): RelayError {
    return this.#fault ?? new RelayError('connection_closed', 'The other side no longer reads', cause ? { cause } : {});
  }
}
