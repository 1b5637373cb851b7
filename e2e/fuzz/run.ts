import { parseArgs } from 'node:util';
import { runFuzz } from './run-fuzz.ts';

/** By hand: node e2e/fuzz/run.ts --requests 2000000 --seed 7 --lanes 16 */
const { values } = parseArgs({
  options: { requests: { type: 'string', default: '200000' }, seed: { type: 'string' }, lanes: { type: 'string', default: '16' } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
console.error(`seed ${seed}`);
let told = 0;
const report = await runFuzz({
  requests: Number(values.requests),
  seed,
  lanes: Number(values.lanes),
  onProgress: (requests) => {
    if (requests - told < 50_000) return;
    told = requests;
    console.error(`${requests} requests`);
  },
});
const { faults, ...figures } = report;
console.log(JSON.stringify(figures, null, 2));
for (const fault of faults) console.log(`\n${fault}`);
process.exit(faults.length === 0 ? 0 : 1);
