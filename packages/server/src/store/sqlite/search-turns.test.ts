import { sleep } from 'agent-relay-wire';
import { expect, test } from 'vitest';
import { SearchTurns } from './search-turns.ts';

const { signal } = new AbortController();
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
