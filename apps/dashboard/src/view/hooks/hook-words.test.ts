import { expect, test } from 'vitest';
import { hookActionWords, outcomeLook, runWords, whomWords } from './hook-words.ts';

test('a run says what came of it, with its exit code where there was one', () => {
  expect(runWords({ outcome: 'failed', exitCode: 2, durationMs: 1_250 })).toBe('failed, exit 2, in 1.3 s');
  expect(runWords({ outcome: 'succeeded', durationMs: 12.4 })).toBe('done, in 12 ms');
});

test('words that a later relay says are shown as they are', () => {
  expect([
    outcomeLook('postponed').word,
    hookActionWords('dream'),
    whomWords({ agents: 'agent:Lead' }),
    whomWords({ agents: '*' }),
  ]).toEqual(['postponed', 'dream:', 'Lead', 'every agent']);
});
