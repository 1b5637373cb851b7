import { expect, test } from 'vitest';
import { titleOf } from './use-title.ts';

test('a hidden tab says how much waits, and that the relay is away', () => {
  expect([titleOf(0, 'live'), titleOf(3, 'live'), titleOf(3, 'quiet'), titleOf(0, 'lost'), titleOf(1_000, 'live')]).toEqual([
    'Agent Relay',
    '(3) Agent Relay',
    '⚠ (3) Agent Relay',
    '⚠ Agent Relay',
    '(999+) Agent Relay',
  ]);
});
