import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { measure, median, names, option, type Program, startRelay, type Work } from './programs.ts';

/**
 * Whether a direct message costs the same whatever else the relay holds: with 10 and with 5,000 connected agents, with 1,000 and with
 * 1,000,000 stored messages. Interleaved rounds on relays of one run; also what an idle connected agent takes in memory.
 * Usage, after a build: node bench/relay/scale.ts [--rounds 5] [--agents 5000] [--stored 1000000]
 */
const rounds = option('rounds', 5);
const agentCount = option('agents', 5_000);
const stored = option('stored', 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'agent-relay-bench-'));
const pair = [...names('sender', 16), ...names('receiver', 16)];
const work: Work = { mode: 'throughput', acknowledge: true, senders: names('sender', 16), receivers: names('receiver', 16), count: 20_000 };

/** Connects idle agents, each as the deliverer of its own inbox. */
async function connectIdle({ url, tokens }: Program, agents: readonly string[]): Promise<readonly WebSocket[]> {
  const sockets: WebSocket[] = [];
  for (const id of agents) {
    const socket = new WebSocket(url, { perMessageDeflate: false, headers: { authorization: `Bearer ${tokens[id]}` } });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'inbox/subscribe', params: { id } })));
      socket.once('message', () => resolve());
      socket.once('error', reject);
    });
    sockets.push(socket);
  }
  return sockets;
}

async function compare(name: string, small: Program, large: Program): Promise<void> {
  const costs = { small: [] as number[], large: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    costs.small.push(1_000_000 / (await measure(small, work)).perSecond);
    costs.large.push(1_000_000 / (await measure(large, work)).perSecond);
  }
  const [few, many] = [median(costs.small), median(costs.large)];
  console.log(`| ${name} | ${few.toFixed(1)} | ${many.toFixed(1)} | ${(many / few).toFixed(2)} | 0.8 to 1.2 |`);
}

console.log(`microseconds per direct message, acknowledged; medians of ${rounds} interleaved rounds\n`);
console.log('| what grows | small | large | ratio | wanted |\n|---|---|---|---|---|');

const idle = names('idle', agentCount);
const few = await startRelay(join(folder, 'few.db'), [...pair, ...idle.slice(0, 10)]);
const many = await startRelay(join(folder, 'many.db'), [...pair, ...idle]);
const fewSockets = await connectIdle(few, idle.slice(0, 10));
await measure(few, work);
await measure(many, work);
const before = await many.memory();
const manySockets = await connectIdle(many, idle);
const after = await many.memory();
await compare(`10 and ${agentCount} connected agents`, few, many);
for (const socket of [...fewSockets, ...manySockets]) socket.terminate();
await few.stop();
await many.stop();

/** A relay that was started on a database of so many messages, as warm as every other: who filled it has ended. */
async function startFilled(path: string, count: number): Promise<Program> {
  const filling = await startRelay(path, pair);
  await measure(filling, { ...work, count });
  await filling.stop();
  const measured = await startRelay(path, pair);
  await measure(measured, work);
  return measured;
}

const shallow = await startFilled(join(folder, 'shallow.db'), 1_000);
const deep = await startFilled(join(folder, 'deep.db'), stored);
await compare(`1,000 and ${stored} stored messages`, shallow, deep);
await shallow.stop();
await deep.stop();
rmSync(folder, { recursive: true, force: true });

console.log(`\nan idle connected agent: ${((after - before) / agentCount / 1024).toFixed(1)} KiB of resident memory`);
process.exit(0);
