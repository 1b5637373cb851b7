import { randomFillSync } from 'node:crypto';

const NONCE_BYTES = 9;
const POOL_BYTES = NONCE_BYTES * 512;

/** Makes nonces of 72 random bits. Drawing from a pool: asking the system for each one costs more than the rest of a hand-over. */
export function createNonces(): () => string {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  return () => {
    if (used >= POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    used += NONCE_BYTES;
    return pool.toString('base64url', used - NONCE_BYTES, used);
  };
}
