import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/*
 * What a browser holds of a session: a cookie and a word. Browsers send a cookie to every port of a host, so whatever else listens there gets it;
 * the word stays in our own page, whose storage no other port's page can read, and goes in a header or a frame of its requests. The cookie is the
 * session's token under the word as its key: neither of the two is worth anything alone, and none is a bearer.
 */

export interface SealedSession {
  readonly cookie: string;
  readonly word: string;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function sealSession(token: string): SealedSession {
  const key = randomBytes(32);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce);
  const text = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
  return { cookie: Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url'), word: key.toString('base64url') };
}

/** The token; `null` when the two do not belong together. */
export function openSession({ cookie, word }: SealedSession): string | null {
  const key = Buffer.from(word, 'base64url');
  const sealed = Buffer.from(cookie, 'base64url');
  if (key.length !== 32 || sealed.length <= NONCE_BYTES + TAG_BYTES) return null;
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    return null; // another key, or a cookie that somebody changed
  }
}
