import { asText } from 'agent-relay-protocol';
/** How a link ended, in the words of WebSocket close frames; both absent when the other side simply went away. */
export interface DuplexClosed {
  readonly code?: number;
  readonly reason?: string;
}

export type CloseReason = DuplexClosed;

/**
 * A two-way link of parsed JSON messages.
 *
 * States: *open* from the start; *closing* after `close()`; *closed* once `closed` resolves (it never rejects). Messages that
 * arrived before the end are handed over before `closed` resolves in listener mode, and before `incoming` ends when iterating.
 *
 * Read it in one of two ways, never both: iterate `incoming` (once), or call `onMessage` (once), which spends no promise per
 * message. Whoever reads second gets a `TypeError`: that is a bug, not an input.
 */
export interface MessageDuplex<In = unknown, Out = unknown> {
  /** Messages in order of arrival; a slow loop makes the link read slower. Throws the link's fault, if it ended by one. */
  readonly incoming: AsyncIterable<In>;
  /**
   * Takes the message at once and keeps order. Resolves when it is written or queued below the high-water mark; rejects with
   * `connection_closed` after the end, `overloaded` when the other side reads too slowly, `TypeError` for what JSON cannot hold.
   * A caller who ignores a rejection loses nothing else: it never becomes an unhandled one.
   */
  send(message: Out): Promise<void>;
  /** The same promise for a message that is JSON text already: one broadcast is serialised once. */
  sendText?(json: string): Promise<void>;
  /**
   * Resolves when the other side has received everything that was sent before, where a transport can tell; rejects with `connection_closed` when the
   * link ends first. It says nothing of what became of it there.
   */
  confirm?(): Promise<void>;
  /**
   * Listener mode: hands every message over synchronously, several per event-loop turn, beginning after this call returned. A
   * listener must not throw. `onMalformed` hears of frames that were no JSON, where the transport calls that a fault of the peer.
   */
  onMessage?(listener: (message: In) => void, onMalformed?: MalformedListener): void;
  /** Listener mode: what arrives waits from now on, and beyond the high-water mark the transport is not read. Idempotent. */
  hold?(): void;
  /** Hands over what waits, in order and synchronously, until somebody holds again. */
  release?(): void;
  /** Idempotent; resolves once the link is closed, at the latest when the transport stops waiting for the other side. */
  close(reason?: CloseReason): Promise<void>;
  readonly closed: Promise<DuplexClosed>;
  /** Bytes accepted by `send` and not yet taken by the operating system (or the other half, in memory). */
  readonly bufferedBytes: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `text` is cut to `malformedTextLimit` characters. */
export type MalformedListener = (text: string, error: Error) => void;

export const malformedTextLimit = 4096;

/** What `send` returns when nothing has to be waited for: one promise for all, so the hot path allocates none. */
export const alreadySent: Promise<void> = Promise.resolve();

const ignore = () => {};

/** A rejection its receiver may ignore without ending the process. */
export function handledRejection(error: unknown): Promise<never> {
  const rejection = Promise.reject(error);
  rejection.catch(ignore);
  return rejection;
}

/** Throws `TypeError` for what JSON cannot hold, a bare `undefined` or function included. */
export function encodeJson(message: unknown): string {
  const text: string | undefined = JSON.stringify(message);
  if (text === undefined) throw new TypeError('A message must be something JSON can hold');
  return text;
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(asText(error));
}
