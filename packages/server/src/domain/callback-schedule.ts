const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 3_600_000;

/** How long a callback is tried before it is dead. */
export const CALLBACK_LIFETIME_MS = 86_400_000;

/** How often a callback is tried whose content the other side refuses: a deployment may be under way, and the rest of its task waits. */
export const REFUSED_ATTEMPTS = 5;

/** Answers that speak of what was sent, not of where it was sent or when: sending it again changes nothing. */
const refusedForGood = new Set([400, 413, 415, 422]);
const GONE = 410;

export interface CallbackAttempt {
  /** Null when there was no answer. */
  readonly status: number | null;
  /** The answer's `Retry-After`, as it was sent. */
  readonly retryAfter?: string | undefined;
  /** This one included. */
  readonly attempts: number;
  readonly deadlineAt: number;
  readonly now: number;
  /** From 0 to 1: spreads retries. */
  readonly chance: number;
}

export type CallbackFate =
  | { readonly status: 'delivered' | 'dead'; readonly nextAttemptAt: null }
  | { readonly status: 'pending'; readonly nextAttemptAt: number };

/**
 * What becomes of a callback after an attempt. It waits as long as the other side asks, but is tried once more before its deadline; 410 ends it,
 * and so does a refusal of its content that lasts.
 */
export function fateOf({ status, retryAfter, attempts, deadlineAt, now, chance }: CallbackAttempt): CallbackFate {
  if (status !== null && status >= 200 && status < 300) return { status: 'delivered', nextAttemptAt: null };
  const isOver = status === GONE || (status !== null && refusedForGood.has(status) && attempts >= REFUSED_ATTEMPTS);
  const planned = isOver ? null : nextAttemptAt(attempts, deadlineAt, now, chance);
  if (planned === null) return { status: 'dead', nextAttemptAt: null };
  return { status: 'pending', nextAttemptAt: Math.max(planned, Math.min(deadlineAt, now + retryAfterMs(retryAfter, now))) };
}

/** `Retry-After` in seconds or as a date; nought for none, and for what cannot be read. */
export function retryAfterMs(retryAfter: string | undefined, now: number): number {
  const text = retryAfter?.trim() ?? '';
  const date = /^[A-Z][a-z]{2}/u.test(text) ? Date.parse(text) - now : 0;
  const ms = /^\d+$/u.test(text) ? Number(text) * 1000 : date;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/**
 * When to try again after `attempts` failures: doubling from a second to an hour, each shortened by up to half (`chance` is 0 to 1), so
 * that many that failed together do not come back together. Null when that would be after `deadlineAt`.
 */
export function nextAttemptAt(attempts: number, deadlineAt: number, now: number, chance: number): number | null {
  const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 30));
  const at = now + Math.round(delay * (1 - chance / 2));
  return at > deadlineAt ? null : at;
}
