import { RelayError } from 'agent-relay-protocol';
import { expect, it } from 'vitest';
import { type Attempt, askWhileAway, neverArrived } from './ask-while-away.ts';

/** Answers these in turn, and counts. */
function attempts(...outcomes: readonly Attempt<string>['type'][]) {
  let count = 0;
  const attempt = async (): Promise<Attempt<string>> => {
    const type = outcomes[count] ?? 'answered';
    count += 1;
    return type === 'answered' ? { type, answer: 'yes' } : { type };
  };
  return { attempt, count: () => count };
}
const patient = { isPatient: () => true, initialMs: 1 };

it('asks again what the relay has not had', async () => {
  const { attempt, count } = attempts('refused', 'refused', 'answered');
  expect(await askWhileAway(attempt, { ...patient, isRepeatable: false })).toEqual({ type: 'answered', answer: 'yes' });
  expect(count()).toBe(3);
});

it('asks again what the relay may have had only where asking twice is asking once', async () => {
  const once = attempts('lost');
  expect(await askWhileAway(once.attempt, { ...patient, isRepeatable: false })).toEqual({ type: 'given-up', mayHaveHappened: true });
  const repeatable = attempts('lost');
  expect(await askWhileAway(repeatable.attempt, { ...patient, isRepeatable: true })).toEqual({ type: 'answered', answer: 'yes' });
  expect([once.count(), repeatable.count()]).toEqual([1, 2]);
});

it('says, when nobody waits any longer, whether it may have been done in any of the attempts', async () => {
  let left = 3;
  const isPatient = () => {
    left -= 1;
    return left > 0;
  };
  const asked = await askWhileAway(attempts('lost', 'refused', 'refused').attempt, { isRepeatable: true, isPatient, initialMs: 1 });
  expect(asked).toEqual({ type: 'given-up', mayHaveHappened: true });
  const refused = await askWhileAway(attempts('refused').attempt, { isRepeatable: true, isPatient: () => false });
  expect(refused).toEqual({ type: 'given-up', mayHaveHappened: false });
});

it('gives up with the reason of whoever waits no more', async () => {
  const gone = new AbortController();
  const attempt = async () => {
    gone.abort(new Error('gone'));
    return { type: 'refused' } as const;
  };
  await expect(askWhileAway(attempt, { ...patient, isRepeatable: true, signal: gone.signal })).rejects.toThrow('gone');
});

it('tells what nobody has had from what may have been lost', () => {
  const withCode = (code: string) => new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
  const foreign = new TypeError('fetch failed', { cause: new RelayError('forbidden', 'Another user listens there') });
  expect([withCode('ECONNREFUSED'), withCode('ENOENT'), foreign, withCode('ECONNRESET'), new Error('odd')].map(neverArrived)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});
