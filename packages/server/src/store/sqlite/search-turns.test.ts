import { sleep } from 'agent-relay-wire';
import { afterEach, expect, test, vi } from 'vitest';
import { SearchTurns } from './search-turns.ts';

const { signal } = new AbortController();
afterEach(() => void vi.useRealTimers());
const busyFor = (ms: number) => {
  const endsAt = performance.now() + ms;
  while (performance.now() < endsAt);
  return performance.now();
};

test('after a long look into the index nobody looks for as long again, whoever it is; after a short one somebody may at once', async () => {
  const waited: string[] = [];
  const next = async (caller = '') => {
    waited.push(caller);
    await sleep(1);
  };
  const turns = new SearchTurns({ next });
  turns.took(20);
  expect(turns.isResting).toBe(false);
  const [hers, his] = ['hers', 'his'].map((caller) => turns.begin(caller, signal));
  const first = hers?.look(() => busyFor(40));
  const second = his?.look(() => performance.now());
  const [[endedAt, tookMs], [beganAt]] = [(await first) ?? [0, 0], (await second) ?? [0]];
  expect(tookMs).toBeGreaterThanOrEqual(40);
  expect(beganAt - endedAt).toBeGreaterThanOrEqual(40);
  expect(new Set(waited)).toEqual(new Set(['his']));
  // Whoever reads much meanwhile waits for nobody that only rests.
  expect(waited.length).toBeLessThan(5);
});

test('many short looks in a row are a long one', () => {
  const turns = new SearchTurns({ next: async () => {} });
  for (let look = 0; look < 20; look += 1) turns.took(10);
  expect(turns.isResting).toBe(true);
});

test('nobody looks for whoever has gone away', async () => {
  const turns = new SearchTurns({ next: () => new Promise(() => {}) });
  await turns.begin('hers', signal).look(() => busyFor(40));
  expect(await turns.begin('his', AbortSignal.abort()).look(() => expect.fail('nobody waits for it'))).toBeNull();
});

test('what others took is not taken from the time of a page, for as long as its caller may still wait for it', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  const pass = (ms: number) => vi.advanceTimersByTime(ms);
  const turn = new SearchTurns({ next: async () => void pass(4_000) }).begin('hers', signal);
  pass(500);
  await turn.rest();
  pass(499);
  expect(turn.isOver).toBe(false);
  pass(2);
  expect(turn.isOver).toBe(true);
  await turn.rest();
  await turn.rest();
  expect(turn.isOver).toBe(true);
  const busy = new SearchTurns({ next: async () => void pass(6_000) }).begin('his', signal);
  for (let wait = 0; wait < 2; wait += 1) {
    expect(busy.isOver).toBe(false);
    pass(10);
    await busy.rest();
  }
  expect(busy.isOver).toBe(true);
});

test('a search rests until it may look, and no longer than somebody waits for it', async () => {
  const turns = new SearchTurns({ next: async () => {} });
  turns.took(5_000);
  const asking = new AbortController();
  const looked = turns.begin('his', asking.signal).look(() => expect.fail('nobody waits for it'));
  asking.abort();
  expect(await looked).toBeNull();
  expect(turns.isResting).toBe(true);
});
