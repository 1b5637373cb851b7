import { expect, test } from 'vitest';
import { type TokenUse, tokensInHour, tokensOf, withTokens } from './token-use.ts';

const MINUTE = 60_000;

test('only what a turn cost counts, without what came from the cache', () => {
  const usage = { inputTokens: 1_000, cachedInputTokens: 900, outputTokens: 50 };
  expect(tokensOf({ type: 'turn.completed', turnId: 't', outcome: 'finished', usage })).toBe(150);
  expect(tokensOf({ type: 'turn.completed', turnId: 't', outcome: 'finished' })).toBe(0);
  // The same tokens come once more with the end of the turn.
  expect(tokensOf({ type: 'usage.updated', turnId: 't', usage })).toBe(0);
});

test('an hour slides, by the minute', () => {
  let use: TokenUse = [];
  for (const minute of [0, 0, 30, 59]) use = withTokens(use, 10, minute * MINUTE);
  expect(use).toHaveLength(3);
  expect(tokensInHour(use, 59 * MINUTE)).toBe(40);
  expect(tokensInHour(use, 60 * MINUTE)).toBe(20);
  expect(tokensInHour(use, 119 * MINUTE)).toBe(0);
  expect(withTokens(use, 1, 200 * MINUTE)).toEqual([{ minute: 200, tokens: 1 }]);
});
