import { runCrashes } from './harness.ts';

/** By hand: node e2e/crash/run.ts --times 10000 */
const index = process.argv.indexOf('--times');
const times = index === -1 ? 100 : Number(process.argv[index + 1]);
const run = await runCrashes({ times, onCycle: (cycle) => cycle % 100 === 0 && console.error(`${cycle} crashes`) });
console.log(JSON.stringify({ ...run, violations: run.violations.slice(0, 20) }, null, 2));
process.exit(run.violations.length === 0 ? 0 : 1);
