import { expect, test } from 'vitest';
import { ThreadReach } from './thread-reach.ts';

function reachOf(readable: ReadonlySet<string>) {
  const directory = { version: 1 };
  const asked: string[] = [];
  const reach = new ThreadReach(directory, (agentId) => {
    asked.push(agentId);
    return readable.has(agentId);
  });
  return { reach, directory, asked };
}

test('a thread is walked once, however many of its messages are read, and again when it or who there is has changed', () => {
  const { reach, directory, asked } = reachOf(new Set(['c']));
  const thread = new Map([
    ['a', 1],
    ['b', 2],
  ]);
  for (let message = 0; message < 100; message += 1) expect(reach.has(thread)).toBe(false);
  expect(asked).toEqual(['a', 'b']);
  directory.version += 1;
  expect(reach.has(thread)).toBe(false);
  expect(asked).toHaveLength(4);
  thread.set('c', 3);
  expect(reach.has(thread)).toBe(true);
});

test('each thread is a thread of its own', () => {
  const { reach } = reachOf(new Set(['b']));
  expect([new Map([['a', 1]]), new Map([['b', 1]])].map((thread) => reach.has(thread))).toEqual([false, true]);
});
