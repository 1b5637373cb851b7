import { runOutages } from './outages.ts';

/** By hand, after a build: node e2e/outages/run.ts [--rounds 100] [--messages 150] [--kills 8] */
const option = (name: string, fallback: number): number => {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? fallback : Number(process.argv[index + 1]);
};
const run = await runOutages({
  rounds: option('rounds', 100),
  flood: { messages: option('messages', 150), kills: option('kills', 8) },
  onRound: (round) => round % 10 === 0 && console.error(`${round} rounds`),
});
console.log(JSON.stringify({ ...run, violations: run.violations.slice(0, 20) }, null, 2));
process.exit(run.violations.length === 0 ? 0 : 1);
