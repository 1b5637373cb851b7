import { expect, test } from 'vitest';
import { runCrashes } from './harness.ts';

test('a relay killed 12 times under load loses nothing, doubles nothing and leaves no gap', { timeout: 120_000 }, async () => {
  const run = await runCrashes({ times: 12 });
  expect(run.violations).toEqual([]);
  const enough = {
    sends: 150,
    acknowledgements: 50,
    completions: 5,
    reports: 20,
    claims: 5,
    endings: 5,
    callbacks: 30,
    pairs: 1,
    sayings: 5,
  };
  const tooFew = Object.entries(enough).filter(([name, least]) => (run.counts[name as keyof typeof enough] ?? 0) < least);
  expect(tooFew).toEqual([]);
});
