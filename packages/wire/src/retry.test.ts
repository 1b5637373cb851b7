import { RelayError } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { isRetryable, retryWhileRetryable } from './retry.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const away = () => new RelayError('connection_closed', 'The relay is away');
const backoff = { initialMs: 100, maxMs: 400, random: () => 1 };

/** Fails with each of these in turn, then answers. */
function failing(...errors: readonly unknown[]) {
  const left = [...errors];
  const askedAt: number[] = [];
  const begin = Date.now();
  const ask = async () => {
    askedAt.push(Date.now() - begin);
    if (left.length > 0) throw left.shift();
    return 'answer';
  };
  return { ask, askedAt };
}

it('asks again, at growing distances, until there is an answer', async () => {
  const { ask, askedAt } = failing(away(), away(), away());
  const told: string[] = [];
  const answer = retryWhileRetryable(ask, { ...backoff, onRetry: ({ code }) => told.push(code) });
  await vi.runAllTimersAsync();
  expect([await answer, askedAt, told.length]).toEqual(['answer', [0, 100, 300, 700], 3]);
});

it('does not repeat what no repetition mends, nor a bug', async () => {
  for (const error of [new RelayError('not_found', 'Gone'), new Error('a bug')]) {
    const { ask, askedAt } = failing(away(), error);
    const outcome = expect(retryWhileRetryable(ask, backoff)).rejects.toBe(error);
    await vi.runAllTimersAsync();
    await outcome;
    expect(askedAt).toHaveLength(2);
  }
});

it('gives up with the last failure where the number of attempts is limited', async () => {
  const last = away();
  const { ask, askedAt } = failing(away(), last, away());
  const outcome = expect(retryWhileRetryable(ask, { ...backoff, maxAttempts: 2 })).rejects.toBe(last);
  await vi.runAllTimersAsync();
  await outcome;
  expect(askedAt).toHaveLength(2);
});

it('gives up with the reason of its signal: before it asks, while it asks and while it waits', async () => {
  const before = failing();
  await expect(retryWhileRetryable(before.ask, { signal: AbortSignal.abort('before') })).rejects.toBe('before');
  expect(before.askedAt).toEqual([]);

  const asking = new AbortController();
  const failsWhenEnded = () => new Promise<never>((_, reject) => asking.signal.addEventListener('abort', () => reject(away())));
  const whileAsking = expect(retryWhileRetryable(failsWhenEnded, { signal: asking.signal })).rejects.toBe('while asking');
  asking.abort('while asking');
  await whileAsking;

  const waiting = new AbortController();
  const { ask, askedAt } = failing(away());
  const whileWaiting = expect(retryWhileRetryable(ask, { ...backoff, signal: waiting.signal })).rejects.toBe('while waiting');
  await vi.advanceTimersByTimeAsync(50);
  waiting.abort('while waiting');
  await whileWaiting;
  expect(askedAt).toHaveLength(1);
});

it('an answer that came although the signal has aborted is an answer', async () => {
  const controller = new AbortController();
  const ask = async () => {
    controller.abort();
    return 'answer';
  };
  expect(await retryWhileRetryable(ask, controller)).toBe('answer');
});

it('what may be retried is what the table of error codes says', () => {
  expect([away(), new RelayError('not_found', ''), new Error(''), undefined].map(isRetryable)).toEqual([true, false, false, false]);
});
