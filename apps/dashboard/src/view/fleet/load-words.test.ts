import { expect, test } from 'vitest';
import { saysLoad, saysRunning } from './load-words.ts';

test('a machine says how many agents it runs, of how many where that is limited', () => {
  expect([saysRunning(0, undefined), saysRunning(1, undefined), saysRunning(2, undefined), saysRunning(3, 4)]).toEqual([
    'Runs no agent',
    'Runs one agent',
    'Runs 2 agents',
    'Runs 3 of 4 agents',
  ]);
});

test('how busy it is is told as far as its system says', () => {
  const memory = { freeMemoryBytes: 3_140_000_000, totalMemoryBytes: 16_000_000_000 };
  expect(saysLoad({ cores: 8, perMinute: 1.25, ...memory })).toBe('Load 1.3 on 8 cores · 3.1 of 16.0 GB free');
  expect(saysLoad({ cores: 1, ...memory })).toBe('3.1 of 16.0 GB free');
});
