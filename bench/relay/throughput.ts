import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, median, names, option, startBare, startRelay } from './programs.ts';

/**
 * Our relay against a bare program that only stores and pushes, in one run on one machine, interleaved; prints ratios of medians.
 * Usage, after a build: node bench/relay/throughput.ts [--rounds 5] [--count 60000]
 */
const rounds = option('rounds', 5);
const count = option('count', 60_000);
const folder = mkdtempSync(join(tmpdir(), 'agent-relay-bench-'));
const senders = names('sender', 16);
const receivers = names('receiver', 16);
// Apart from the others: what those never acknowledge still waits in their inboxes.
const acknowledgers = names('acknowledger', 16);
const many = { mode: 'throughput', senders, receivers, count } as const;
const single = {
  mode: 'latency',
  acknowledge: false,
  senders: senders.slice(0, 1),
  receivers: receivers.slice(0, 1),
  count: 3_000,
} as const;

const bare: number[] = [];
const plain: number[] = [];
const acknowledged: number[] = [];
const bareP50: number[] = [];
const relayP50: number[] = [];

for (let round = 0; round < rounds; round += 1) {
  const yardstick = await startBare(join(folder, `bare-${round}.db`));
  bare.push((await measure(yardstick, { ...many, acknowledge: false })).perSecond);
  bareP50.push((await measure(yardstick, single)).p50Ms);
  await yardstick.stop();
  const relay = await startRelay(join(folder, `relay-${round}.db`), [...senders, ...receivers, ...acknowledgers]);
  plain.push((await measure(relay, { ...many, acknowledge: false })).perSecond);
  acknowledged.push((await measure(relay, { ...many, receivers: acknowledgers, acknowledge: true })).perSecond);
  relayP50.push((await measure(relay, single)).p50Ms);
  await relay.stop();
}
rmSync(folder, { recursive: true, force: true });

const rows = [
  ['messages a second, end to end', plain, bare, 'at least 0.6'],
  ['the same, each acknowledged by its receiver', acknowledged, bare, 'at least 0.5'],
  ['p50 of one message at a time, ms', relayP50, bareP50, 'at most 2'],
] as const;
console.log(`medians of ${rounds} interleaved rounds of ${count} messages, 16 senders, 16 receivers\n`);
console.log('| figure | relay | bare program | ratio | wanted |\n|---|---|---|---|---|');
for (const [name, ours, theirs, wanted] of rows) {
  console.log(
    `| ${name} | ${median(ours).toFixed(2)} | ${median(theirs).toFixed(2)} | ${(median(ours) / median(theirs)).toFixed(2)} | ${wanted} |`,
  );
}
