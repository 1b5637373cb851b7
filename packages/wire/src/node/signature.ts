import { createHmac, timingSafeEqual } from 'node:crypto';

/** The header that carries a signature. */
export const SIGNATURE_HEADER = 'x-agent-relay-signature';
/** How old, or how far ahead, a signed request may be. */
export const SIGNATURE_TOLERANCE_MS = 300_000;

/**
 * `t=<unix seconds>,v1=<hex>`: the HMAC-SHA256 of `<t>.<body>`. The time is part of what is signed, so that an old request cannot be
 * played again later.
 */
export function signBody(body: string | Uint8Array, key: string, now: number): string {
  const seconds = Math.floor(now / 1000);
  return `t=${seconds},v1=${digestOf(body, key, String(seconds)).toString('hex')}`;
}

export interface SignedBody {
  /** As it was received, byte for byte. */
  readonly body: string | Uint8Array;
  readonly signature: string | undefined;
  readonly key: string;
  readonly now: number;
}

/** Whether whoever knows the key signed this body a short while ago. Takes as long for a wrong signature as for a right one. */
export function isSigned({ body, signature = '', key, now }: SignedBody): boolean {
  const [, seconds, digest] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/u.exec(signature) ?? [];
  if (seconds === undefined || digest === undefined) return false;
  if (Math.abs(now - Number(seconds) * 1000) > SIGNATURE_TOLERANCE_MS) return false;
  return timingSafeEqual(digestOf(body, key, seconds), Buffer.from(digest, 'hex'));
}

const digestOf = (body: string | Uint8Array, key: string, seconds: string): Buffer =>
  createHmac('sha256', key).update(`${seconds}.`).update(body).digest();
