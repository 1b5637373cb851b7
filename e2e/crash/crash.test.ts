import { expect, test } from 'vitest';
import { runCrashes } from './harness.ts';

test('a relay killed 100 times under load, and a node 20 times, lose nothing, double nothing and leave no gap', {
  timeout: 1_800_000,
}, async () => {
  const run = await runCrashes({ times: 100 });
  console.log(`${run.events} events, ${run.msPerCycle.toFixed(0)} ms a crash: ${JSON.stringify(run.counts)}`);
  expect(run.violations).toEqual([]);
  const enough = {
    sends: 1_500,
    acknowledgements: 500,
    completions: 50,
    reports: 200,
    claims: 50,
    endings: 50,
    callbacks: 300,
    pairs: 10,
    sayings: 50,
    toHosted: 50,
    nodeKills: 20,
  };
  const tooFew = Object.entries(enough).filter(([name, least]) => (run.counts[name as keyof typeof enough] ?? 0) < least);
  expect(tooFew).toEqual([]);
});
