import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { option } from './programs.ts';
import { type MeasuredRelay, startMeasured, startRude } from './serve-measured.ts';

/**
 * What a polite caller notices of ten rude ones: two relays with the same large messages, side by side, the rude ones at one of them; one
 * message and one small read at a time, to each relay in turn. Fails when the p99 beside them is more than the bound times the other's.
 * With `--minutes`, it goes on for so long and fails when the heap, after a forced collection each ten seconds, grows.
 * Usage, after a build: node bench/relay/shares.ts [--seconds 20] [--minutes 0] [--bound 3]
 */
const seconds = Math.max(option('seconds', 20), option('minutes', 0) * 60);
const bound = option('bound', 3);
const STORED = 300;
/** Not counted: what is compiled and cached in the first calls. */
const WARM_UP_MS = 3_000;
const HEAP_EVERY_MS = 10_000;
/** How much the second half of a soak may lie above the first. */
const HEAP_GROWTH = 1.1;

const folder = mkdtempSync(join(tmpdir(), 'agent-relay-bench-'));
const relays = [await startMeasured(join(folder, 'alone.db')), await startMeasured(join(folder, 'beside.db'))];
const [, crowded] = relays;
if (!crowded) throw new Error('Both relays were started above');
const clients = relays.map(({ url, token }) => createNodeRelayClient({ url, token, transport: 'socket' }));
for (const client of clients) {
  await client.agents.register({ name: 'polite' });
  for (let index = 0; index < STORED; index += 1) await client.messages.send({ to: 'id:owner', body: 'x'.repeat(30_000) });
}
const rude = await startRude(crowded.url);
const took: [number[], number[]] = [[], []];
const heaps: number[] = [];
await politely(crowded);
rude.stop();
for (const client of clients) await client.close();
for (const relay of relays) await relay.stop();
rmSync(folder, { recursive: true, force: true });
report();

async function politely(relay: MeasuredRelay): Promise<void> {
  const countsFrom = performance.now() + WARM_UP_MS;
  const endsAt = countsFrom + seconds * 1000;
  let heapAt = performance.now() + HEAP_EVERY_MS;
  while (performance.now() < endsAt) {
    for (const [index, client] of clients.entries()) {
      const startedAt = performance.now();
      const { id } = await client.messages.send({ to: 'id:polite', body: 'x'.repeat(200) });
      await client.messages.get({ id });
      if (startedAt >= countsFrom) took[index === 0 ? 0 : 1].push(performance.now() - startedAt);
    }
    if (performance.now() < heapAt) continue;
    heaps.push(await relay.heapBytes());
    heapAt = performance.now() + HEAP_EVERY_MS;
  }
}

function report(): void {
  const at = (values: readonly number[], share: number) =>
    [...values].sort((one, other) => one - other)[Math.floor(values.length * share)] ?? 0;
  const [alone, beside] = took;
  const ratio = at(beside, 0.99) / at(alone, 0.99);
  console.log('| a send and a read, ms | calls | p50 | p99 | longest |\n|---|---|---|---|---|');
  for (const [name, values] of [
    ['alone', alone],
    ['beside ten rude callers', beside],
  ] as const) {
    console.log(
      `| ${name} | ${values.length} | ${at(values, 0.5).toFixed(1)} | ${at(values, 0.99).toFixed(1)} | ${at(values, 1 - 1 / values.length).toFixed(1)} |`,
    );
  }
  console.log(`\np99 ratio ${ratio.toFixed(2)}, wanted at most ${bound}`);
  const mib = heaps.map((bytes) => Math.round(bytes / 2 ** 20));
  console.log(`heap after collections, MiB: ${mib.join(' ')}`);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const half = Math.floor(heaps.length / 2);
  const growth = half > 2 ? mean(heaps.slice(half)) / mean(heaps.slice(1, half)) : 1;
  console.log(`heap of the second half over that of the first: ${growth.toFixed(2)}, wanted at most ${HEAP_GROWTH}`);
  if (ratio > bound || growth > HEAP_GROWTH) process.exitCode = 1;
}
