import { expect, test } from 'vitest';
import { StreamTurns } from './stream-turns.ts';

const never = new AbortController().signal;

function waiting(turns: StreamTurns, names: string, signal: AbortSignal = never) {
  const began: string[] = [];
  const streams = new Map([...names].map((name) => [name, turns.open()]));
  const begin = (name: string) =>
    void streams
      .get(name)
      ?.begin(signal)
      .then(() => began.push(name));
  const end = (name: string) => streams.get(name)?.end();
  return { began, begin, end };
}
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('one has the turn at a time, in the order in which they asked, and whoever had it asks behind the others', async () => {
  const { began, begin, end } = waiting(new StreamTurns(), 'abc');
  for (const name of 'abc') begin(name);
  await settled();
  expect(began).toEqual(['a']);
  end('a');
  begin('a');
  await settled();
  expect(began).toEqual(['a', 'b']);
  end('b');
  end('b');
  await settled();
  expect(began).toEqual(['a', 'b', 'c']);
  end('c');
  await settled();
  expect(began).toEqual(['a', 'b', 'c', 'a']);
});

test('whoever gives up while it waits holds nobody up', async () => {
  const turns = new StreamTurns();
  const ending = new AbortController();
  const patient = waiting(turns, 'ab');
  const leaving = waiting(turns, 'x', ending.signal);
  patient.begin('a');
  leaving.begin('x');
  patient.begin('b');
  ending.abort();
  await settled();
  expect(leaving.began).toEqual(['x']);
  leaving.end('x');
  expect(patient.began).toEqual(['a']);
  patient.end('a');
  await settled();
  expect(patient.began).toEqual(['a', 'b']);
});
