import type { PostPolicy } from 'agent-relay-wire';

/** How long a callback is tried before it is dead. */
export const CALLBACK_LIFETIME_MS = 86_400_000;

/** How often a callback is tried whose content the other side refuses: a deployment may be under way, and the rest of its task waits. */
const REFUSED_ATTEMPTS = 5;

/** Answers that speak of what was sent, not of where it was sent or when: sending it again changes nothing. */
const refusedForGood = new Set([400, 413, 415, 422]);
const GONE = 410;

export const callbackPolicy: PostPolicy = {
  firstDelayMs: 1_000,
  longestDelayMs: 3_600_000,
  longestAskedMs: CALLBACK_LIFETIME_MS,
  attemptsAt: (status) => (status === GONE ? 1 : refusedForGood.has(status) ? REFUSED_ATTEMPTS : Number.POSITIVE_INFINITY),
};
