const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 3_600_000;

/** How long a callback is tried before it is dead. */
export const CALLBACK_LIFETIME_MS = 86_400_000;

/**
 * When to try again after `attempts` failures: doubling from a second to an hour, each shortened by up to half (`chance` is 0 to 1), so
 * that many that failed together do not come back together. Null when that would be after `deadlineAt`.
 */
export function nextAttemptAt(attempts: number, deadlineAt: number, now: number, chance: number): number | null {
  const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 30));
  const at = now + Math.round(delay * (1 - chance / 2));
  return at > deadlineAt ? null : at;
}
