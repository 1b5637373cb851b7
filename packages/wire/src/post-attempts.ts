import { sleep } from './time.ts';

/**
 * How posts of one kind are tried: attempts go on, each later than the one before, until the post is taken, refused for good or too old.
 * Nothing is kept here; who keeps posts also says how many it keeps.
 */
export interface PostPolicy {
  /** The delay after the first failure. It doubles with each further one. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** The longest `Retry-After` that is heeded. */
  readonly longestAskedMs: number;
  /** How many attempts a post gets that is answered with this status: 1 ends it at once, Infinity tries until the deadline. Not asked about 2xx. */
  readonly attemptsAt: (status: number) => number;
}

export interface PostAttempt {
  /** Null when there was no answer. */
  readonly status: number | null;
  /** The answer's `Retry-After`, as it was sent. */
  readonly retryAfter?: string | undefined;
  /** This one included. */
  readonly attempts: number;
  /** Unix milliseconds, like `now`. */
  readonly deadlineAt: number;
  readonly now: number;
  /** From 0 to 1: spreads retries. */
  readonly chance: number;
}

export type PostFate =
  | { readonly status: 'delivered'; readonly nextAttemptAt: null }
  | { readonly status: 'dead'; readonly nextAttemptAt: null; readonly cause: 'refused' | 'deadline' }
  | { readonly status: 'pending'; readonly nextAttemptAt: number };

/**
 * What becomes of a post after an attempt: 2xx delivers it. It is dead with the last attempt that its status allows, and when its next delay would
 * end after its deadline. It waits as long as the other side asks, but is tried once more before its deadline.
 */
export function fateOfPost(policy: PostPolicy, attempt: PostAttempt): PostFate {
  const { status, retryAfter, attempts, deadlineAt, now } = attempt;
  if (status !== null && status >= 200 && status < 300) return { status: 'delivered', nextAttemptAt: null };
  if (status !== null && attempts >= policy.attemptsAt(status)) return { status: 'dead', nextAttemptAt: null, cause: 'refused' };
  const planned = now + delayAfter(policy, attempt);
  if (planned > deadlineAt) return { status: 'dead', nextAttemptAt: null, cause: 'deadline' };
  const asked = Math.min(deadlineAt, now + askedWaitMs(policy, retryAfter, now));
  return { status: 'pending', nextAttemptAt: Math.max(planned, asked) };
}

export interface PostUntilSettledOptions<Answer> {
  readonly policy: PostPolicy;
  /** Milliseconds. */
  readonly lifetimeMs: number;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** From 0 to 1: spreads retries. */
  readonly chance: () => number;
  /** Ends the trying, not what is on its way. */
  readonly signal: AbortSignal;
  /** Told of each attempt that failed before another one. */
  readonly onAgain?: (answer: Answer) => void;
}

/**
 * Posts what nobody keeps, again as its policy says: answers the last attempt and what became of it, which is `pending` once the signal has aborted.
 * Rejects with what `post` throws.
 */
export async function postUntilSettled<Answer extends Pick<PostAttempt, 'status' | 'retryAfter'>>(
  post: () => Promise<Answer>,
  { policy, lifetimeMs, now, chance, signal, onAgain }: PostUntilSettledOptions<Answer>,
): Promise<{ readonly answer: Answer; readonly fate: PostFate }> {
  const deadlineAt = now() + lifetimeMs;
  for (let attempts = 1; ; attempts += 1) {
    const answer = await post();
    const { status, retryAfter } = answer;
    const at = now();
    const fate = fateOfPost(policy, { status, retryAfter, attempts, deadlineAt, now: at, chance: chance() });
    if (fate.status !== 'pending' || signal.aborted) return { answer, fate };
    onAgain?.(answer);
    await sleep(Math.max(0, fate.nextAttemptAt - at), { signal });
    if (signal.aborted) return { answer, fate };
  }
}

/** How long the other side asks not to be called (`Retry-After`, in seconds or as a date); nought when it asks nothing that can be read. */
export function askedWaitMs({ longestAskedMs }: Pick<PostPolicy, 'longestAskedMs'>, retryAfter: string | undefined, now: number): number {
  const text = retryAfter?.trim() ?? '';
  const date = /^[A-Z][a-z]{2}/u.test(text) ? Date.parse(text) - now : 0;
  const ms = /^\d+$/u.test(text) ? Number(text) * 1000 : date;
  return Number.isNaN(ms) ? 0 : Math.min(longestAskedMs, Math.max(0, ms));
}

/** What is wrong with an answer that is not 2xx, for people. */
export const postFault = (status: number): string =>
  status >= 300 && status < 400 ? `It answered ${status}: redirects are not followed` : `It answered ${status}`;

/** Each is shortened by up to half, so that many that failed together do not come back together. */
function delayAfter({ firstDelayMs, longestDelayMs }: PostPolicy, { attempts, chance }: PostAttempt): number {
  const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempts - 1, 30));
  return Math.round(delay * (1 - chance / 2));
}
