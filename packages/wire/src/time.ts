import { RelayError } from 'agent-relay-protocol';

export interface BackoffOptions {
  /** Default 250. */
  readonly initialMs?: number;
  /** Default 30 000. */
  readonly maxMs?: number;
  /** Default 2. */
  readonly factor?: number;
  /** From 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Endless delays in milliseconds that grow by `factor` up to `maxMs`. Each is drawn from the upper half of its step, so that
 * clients which lost one server together do not come back together. Start a new iteration after a success.
 */
export function* backoffDelays(options: BackoffOptions = {}): Generator<number, never, undefined> {
  const { initialMs = 250, maxMs = 30_000, factor = 2, random = Math.random } = options;
  for (let stepMs = Math.min(initialMs, maxMs); ; stepMs = Math.min(stepMs * factor, maxMs)) {
    yield Math.round(stepMs / 2 + (stepMs / 2) * random());
  }
}

/**
 * The pauses of something that is tried for as long as it takes: each is longer than the one before, by the rule of `backoffDelays`, until it went well.
 * For loops that judge their failures by themselves; where the table of error codes judges, take `retryWhileRetryable`. It holds one step and is never full.
 */
export class Pauses {
  readonly #options: BackoffOptions;
  #delays: Generator<number, never, undefined>;

  constructor(options: BackoffOptions = {}) {
    this.#options = options;
    this.#delays = backoffDelays(options);
  }

  /** It went well: the next pause is a short one again. */
  reset(): void {
    this.#delays = backoffDelays(this.#options);
  }

  /** The next pause in milliseconds, which counts as taken; for whoever says how long it is. */
  nextMs(): number {
    return this.#delays.next().value;
  }

  /** Takes the next pause, `atMostMs` of it, or what is left of it when the signal aborts. Never rejects. */
  take({
    signal,
    atMostMs = Number.POSITIVE_INFINITY,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly atMostMs?: number;
  } = {}): Promise<void> {
    return sleep(Math.min(this.nextMs(), atMostMs), { signal });
  }
}

/** The longest delay a timer can hold; a longer one fires at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Resolves after `ms`, or as soon as the signal aborts: it never rejects, so look at the signal afterwards. */
export function sleep(ms: number, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const startTimer = (leftMs: number): ReturnType<typeof setTimeout> =>
      setTimeout(
        () => {
          if (leftMs > LONGEST_TIMER_MS) timer = startTimer(leftMs - LONGEST_TIMER_MS);
          else wake();
        },
        Math.min(leftMs, LONGEST_TIMER_MS),
      );
    let timer = startTimer(ms);
    signal?.addEventListener('abort', wake, { once: true });
  });
}

/**
 * Resolves when the signal has aborted, before this call or after it. Never rejects. It listens for as long as the signal lives: where each of many
 * pieces of work is to end with one signal that outlives them, take `unlessAborted`.
 */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/**
 * Settles as `work` does, or rejects with the signal's reason as soon as it aborts, also before this call. The work itself goes on; how it ends then is
 * heard by nobody. Once either has come it listens no more.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Whether `promise` settled, either way, before `ms` had passed. */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const settled = new AbortController();
  const done = promise.then(
    () => settled.abort(),
    () => settled.abort(),
  );
  await Promise.race([done, sleep(ms, settled)]);
  return settled.signal.aborted;
}

export interface TimeoutOptions {
  /** Gives up with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** What took too long, for the message: `The ${what} took too long`. */
  readonly what?: string;
}

/**
 * Runs `work` with a deadline. At the deadline, or when the outer signal aborts, the signal `work` was given aborts and the result is
 * rejected at once with `timeout` or the outer signal's reason, whether or not `work` listens.
 */
export function withTimeout<T>(work: (signal: AbortSignal) => Promise<T>, timeoutMs: number, options: TimeoutOptions = {}): Promise<T> {
  const { signal, what = 'operation' } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const giveUp = (reason: unknown) => {
      reject(reason);
      controller.abort(reason);
    };
    const onAbort = () => giveUp(signal?.reason);
    const timer = setTimeout(() => giveUp(new RelayError('timeout', `The ${what} took too long`, { details: { timeoutMs } })), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    controller.signal.addEventListener('abort', settle, { once: true });
    work(controller.signal).then(resolve, reject).finally(settle);
  });
}
