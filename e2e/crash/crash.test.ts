import { expect, test } from 'vitest';
import { runCrashes } from './harness.ts';

test('a relay killed 100 times under load loses nothing, doubles nothing and leaves no gap', { timeout: 120_000 }, async () => {
  const run = await runCrashes({ times: 100 });
  expect(run.violations).toEqual([]);
  expect(run.counts.sends).toBeGreaterThan(500);
  expect(run.counts.acknowledgements).toBeGreaterThan(200);
  expect(run.counts.completions).toBeGreaterThan(20);
});
