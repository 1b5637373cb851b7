import { expect, test } from 'vitest';
import { silentLogger } from '../../logger.ts';
import { SearchIndexer } from './search-indexer.ts';

/** So many pieces of new text. */
function indexerOf(pieces: number) {
  const index = { left: pieces, calls: 0, running: 0, most: 0 };
  const search = {
    isBehind: () => index.left > 0,
    behind: () => index.left,
    find: () => Promise.reject(new Error('nobody searches here')),
    index: async () => {
      index.calls += 1;
      index.running += 1;
      index.most = Math.max(index.most, index.running);
      await new Promise((resolve) => setImmediate(resolve));
      index.running -= 1;
      index.left = Math.max(0, index.left - 1);
      return index.left > 0;
    },
  };
  const clock = { now: () => 0, schedule: () => () => {} };
  return { index, indexer: new SearchIndexer({ store: { search }, clock, log: silentLogger }) };
}

test('however many search, one of them has what is new indexed, and the others wait for that', async () => {
  const { index, indexer } = indexerOf(5);
  const left = await Promise.all(Array.from({ length: 9 }, () => indexer.catchUp()));
  expect(left).toEqual(Array(9).fill(0));
  expect([index.calls, index.most]).toEqual([5, 1]);
});

test('nobody waits until everything is indexed where that takes long', async () => {
  const { index, indexer } = indexerOf(1_000_000);
  expect(await indexer.catchUp()).toBeGreaterThan(0);
  expect(index.calls).toBeLessThan(1_000);
});
