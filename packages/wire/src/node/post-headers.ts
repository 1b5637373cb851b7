import { createHash } from 'node:crypto';
import { SIGNATURE_HEADER, signBody } from './signature.ts';

export interface PostToSign {
  readonly body: string;
  readonly key: string;
  /** Unix milliseconds: an attempt is signed as it is made, or the other side takes it for an old one played again. */
  readonly now: number;
  readonly userAgent: string;
}

/** The headers of one attempt at a signed post. Every attempt at the same body has the same `Idempotency-Key`. */
export const postHeaders = ({ body, key, now, userAgent }: PostToSign): Readonly<Record<string, string>> => ({
  'content-type': 'application/json',
  'user-agent': userAgent,
  'idempotency-key': idempotencyKeyOf(body),
  [SIGNATURE_HEADER]: signBody(body, key, now),
});

/** Made of the body, which names what it tells of: it is the same after a restart or from a backup, and another one for what was made later under the same number. */
const idempotencyKeyOf = (body: string): string => createHash('sha256').update(body).digest('hex').slice(0, 32);
