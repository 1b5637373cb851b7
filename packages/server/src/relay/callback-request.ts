import { createHash, createHmac } from 'node:crypto';

/** One attempt to deliver a callback. */
export interface CallbackRequest {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The HTTP status, or why there was none. */
export type CallbackAnswer = { readonly status: number; readonly error: null } | { readonly status: null; readonly error: string };

/** Carries callbacks out of the relay. Never rejects. */
export interface CallbackSender {
  send(request: CallbackRequest, signal: AbortSignal): Promise<CallbackAnswer>;
}

/**
 * `t=<unix seconds>,v1=<hex>`: the HMAC-SHA256 of `<t>.<body>`. The time is part of what is signed, so that an old request cannot be
 * played again later.
 */
export function signCallback(body: string, key: string, now: number): string {
  const seconds = Math.floor(now / 1000);
  return `t=${seconds},v1=${createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')}`;
}

/**
 * What a receiver knows a callback by. It is made of the body, which names an event of the log: a callback keeps its key in a restored
 * backup, and never shares one with a callback that the restored relay made later under the same number.
 */
export const idempotencyKeyOf = (body: string): string => createHash('sha256').update(body).digest('hex').slice(0, 32);
