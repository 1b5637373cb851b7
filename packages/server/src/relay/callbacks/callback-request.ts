import { createHash } from 'node:crypto';

/** One attempt to deliver a callback. */
export interface CallbackRequest {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The HTTP status with the `Retry-After` beside it, or why there was none. */
export type CallbackAnswer =
  | { readonly status: number; readonly error: null; readonly retryAfter?: string }
  | { readonly status: null; readonly error: string };

/** Carries callbacks out of the relay. Never rejects. */
export interface CallbackSender {
  send(request: CallbackRequest, signal: AbortSignal): Promise<CallbackAnswer>;
}

/**
 * What a receiver knows a callback by. It is made of the body, which names an event of the log: a callback keeps its key in a restored
 * backup, and never shares one with a callback that the restored relay made later under the same number.
 */
export const idempotencyKeyOf = (body: string): string => createHash('sha256').update(body).digest('hex').slice(0, 32);
