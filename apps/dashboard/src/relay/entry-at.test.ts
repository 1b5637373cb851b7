import type { RelayClient } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { entryAt } from './entry-at.ts';

/** A relay with an agent that did things at these times, under numbers that it shares with others. Says how often it was asked. */
function relayWith(entries: readonly { readonly id: number; readonly at: number }[]) {
  const asked = { times: 0 };
  const activity = async ({ after = 0, newest = false }: { readonly after?: number; readonly newest?: boolean }) => {
    asked.times += 1;
    return { data: newest ? entries.slice(-1) : entries.filter(({ id }) => id > after).slice(0, 1), cursor: 0 };
  };
  // Of a relay this alone is asked.
  return { relay: { agents: { activity } } as unknown as RelayClient, asked };
}

test('a time leads to the first that was done then or later, however many there are, by few questions', async () => {
  const entries = Array.from({ length: 20_000 }, (_, index) => ({ id: 7 + index * 31, at: 1_000 + Math.floor(index / 2) * 10 }));
  const { relay, asked } = relayWith(entries);
  const find = (at: number) => entryAt(relay, { id: 'Worker' }, at);
  expect([await find(0), await find(1_000), await find(1_001), await find(51_000)]).toEqual([7, 7, 7 + 2 * 31, 7 + 10_000 * 31]);
  expect(await find(9_999_999)).toBe(entries.at(-1)?.id);
  expect(asked.times).toBeLessThan(5 * 25);
});

test('of an agent that did one thing it is that, and of one that did nothing none', async () => {
  expect(await entryAt(relayWith([{ id: 5, at: 10 }]).relay, { id: 'Worker' }, 3)).toBe(5);
  expect(await entryAt(relayWith([]).relay, { id: 'Worker' }, 3)).toBeNull();
});
