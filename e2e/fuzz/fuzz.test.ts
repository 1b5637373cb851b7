import { routeNames } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { runFuzz } from './run-fuzz.ts';

/** AGENT_RELAY_FUZZ_SEED asks other things. */
const seed = Number(process.env['AGENT_RELAY_FUZZ_SEED'] ?? 4850);

test('200,000 requests, right and wrong, as everybody: no crash, no hang, no 5xx, no leak, and each refusal is explained', {
  timeout: 1_800_000,
}, async () => {
  const report = await runFuzz({ requests: 200_000, seed });
  const { requests, seconds, memoryMiB, successes } = report;
  console.log(`seed ${seed}: ${requests} requests in ${seconds.toFixed(0)} s; memory of the relay in MiB: ${JSON.stringify(memoryMiB)}`);
  expect(report.faults).toEqual([]);
  expect(requests).toBeGreaterThanOrEqual(200_000);
  // A fuzz that is only ever refused at the door finds nothing behind it.
  const reached = routeNames.filter((name) => (successes[name] ?? 0) > 0);
  expect(reached.length).toBeGreaterThan(routeNames.length * 0.85);
  // It grew by what it keeps at most, not by what it was sent.
  expect(memoryMiB.most).toBeLessThan(memoryMiB.before + 700);
});
