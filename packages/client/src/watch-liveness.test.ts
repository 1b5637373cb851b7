import { RelayError } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchLiveness } from './watch-liveness.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A connection whose questions the test answers. */
function connection() {
  const questions: { readonly answer: () => void; readonly refuse: (error: RelayError) => void }[] = [];
  let end = () => {};
  const closed = new Promise<object>((resolve) => {
    end = () => resolve({});
  });
  const close = vi.fn(async () => end());
  const request = (_method: string, _params: unknown, { timeoutMs = 0 } = {}) =>
    new Promise<unknown>((answer, refuse) => {
      questions.push({ answer: () => answer({}), refuse });
      setTimeout(() => refuse(new RelayError('timeout', 'No answer')), timeoutMs);
    });
  return { questions, close, end, peer: { request, close, closed } };
}

const told: boolean[] = [];
const onQuiet = (isQuiet: boolean) => void told.push(isQuiet);
beforeEach(() => void told.splice(0));

test('a relay that answers, or refuses the question, is asked again after a while and nobody is told', async () => {
  const { peer, questions, close, end } = connection();
  const watching = watchLiveness(peer, { onQuiet });
  questions[0]?.answer();
  await vi.advanceTimersByTimeAsync(999);
  expect(questions).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  questions[1]?.refuse(new RelayError('unknown_method', 'What?'));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(questions).toHaveLength(3);
  end();
  await vi.advanceTimersByTimeAsync(0);
  questions[2]?.answer();
  await watching;
  expect([told, close.mock.calls.length]).toEqual([[], 0]);
});

test('silence is told within two seconds of the last answer, and taken back when the answer comes', async () => {
  const { peer, questions } = connection();
  void watchLiveness(peer, { onQuiet });
  questions[0]?.answer();
  await vi.advanceTimersByTimeAsync(1_999);
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(told).toEqual([true]);
  questions[1]?.answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual([true, false]);
});

test('a connection on which no answer comes is ended', async () => {
  const { peer, close } = connection();
  const watching = watchLiveness(peer, { onQuiet, cutAfterMs: 3_000 });
  await vi.advanceTimersByTimeAsync(2_999);
  expect(close).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await watching;
  expect(close).toHaveBeenCalledOnce();
  expect(told).toEqual([true, false]);
});
