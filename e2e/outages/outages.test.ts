import { expect, test } from 'vitest';
import { runOutages } from './outages.ts';

test('a relay that is killed again and again loses, doubles and reorders no mail of a real Claude Code and a real Codex', async () => {
  const { violations, kills, sent } = await runOutages({ rounds: 2, flood: { messages: 20, kills: 2 } });
  expect(violations).toEqual([]);
  expect({ kills, sent }).toEqual({ kills: 6, sent: 52 });
});
