import { runCrashes } from './harness.ts';

/** By hand, after a build: node e2e/crash/run.ts [--times 1000] [--seed 1] */
const option = (name: string, fallback: number): number => {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? fallback : Number(process.argv[index + 1]);
};
const times = option('times', 100);
const run = await runCrashes({
  times,
  seed: option('seed', Date.now() % 1_000_000),
  onCycle: (cycle) => cycle % 100 === 0 && console.error(`${cycle} crashes`),
});
console.log(JSON.stringify({ ...run, violations: run.violations.slice(0, 20) }, null, 2));
process.exit(run.violations.length === 0 ? 0 : 1);
