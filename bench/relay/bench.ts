import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createNodeRelayClient } from 'agent-relay-client/node';

/**
 * Our relay against a bare program that only stores and pushes, in one run on one machine, interleaved; prints ratios of medians.
 * Usage: node --conditions=agent-relay-source bench/relay/bench.ts [--rounds 3] [--count 40000]
 */
const option = (name: string, fallback: number) => {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? fallback : Number(process.argv[index + 1]);
};
const rounds = option('rounds', 3);
const count = option('count', 40_000);
const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'agent-relay-bench-'));
const run = promisify(execFile);

const names = (prefix: string, size: number) => Array.from({ length: size }, (_, index) => `${prefix}${index}`);
const senders = names('sender', 16);
const receivers = names('receiver', 16);

interface Program {
  readonly url: string;
  readonly tokens: Readonly<Record<string, string>>;
  readonly rssBytes: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

async function startChild(args: readonly string[]): Promise<{ line: string; pid: number; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, ['--conditions=agent-relay-source', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code} before it was ready`)));
  });
  return {
    line,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

const rssOf = async (pid: number) => Number((await run('ps', ['-o', 'rss=', '-p', String(pid)])).stdout) * 1024;

async function startBare(round: number): Promise<Program> {
  const child = await startChild([join(here, 'bare-program.ts'), join(folder, `bare-${round}.db`)]);
  const { port } = JSON.parse(child.line);
  return { url: `ws://127.0.0.1:${port}`, tokens: {}, rssBytes: () => rssOf(child.pid), stop: child.stop };
}

async function startRelay(round: number): Promise<Program> {
  const child = await startChild([join(here, 'relay-program.ts'), join(folder, `relay-${round}.db`)]);
  const { url, ownerToken } = JSON.parse(child.line);
  const client = createNodeRelayClient({ url, token: ownerToken });
  const tokens: Record<string, string> = {};
  for (const name of [...senders, ...receivers]) {
    const { token } = await client.agents.register({ name, withToken: true });
    if (token !== undefined) tokens[name] = token;
  }
  await client.close();
  return { url: `${url.replace('http', 'ws')}/ws`, tokens, rssBytes: () => rssOf(child.pid), stop: child.stop };
}

interface Work {
  readonly mode: 'throughput' | 'latency';
  readonly acknowledge: boolean;
}

async function measure(program: 'bare' | 'relay', { url, tokens }: Program, work: Work): Promise<Record<string, number>> {
  const single = work.mode === 'latency';
  const plan = {
    ...work,
    program,
    url,
    tokens,
    senders: single ? senders.slice(0, 1) : senders,
    receivers: single ? receivers.slice(0, 1) : receivers,
    count: single ? 2_000 : count,
    inFlight: 16,
    bodyLength: 200,
  };
  const { stdout } = await run(process.execPath, [join(here, 'load.ts'), JSON.stringify(plan)], { maxBuffer: 1 << 20 });
  return JSON.parse(stdout);
}

const figures: Record<string, number[]> = {};
const note = (name: string, value: number | undefined) => {
  figures[name] = [...(figures[name] ?? []), value ?? Number.NaN];
};
const median = (name: string) => {
  const sorted = [...(figures[name] ?? [])].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

for (let round = 0; round < rounds; round += 1) {
  const bare = await startBare(round);
  note('bare', (await measure('bare', bare, { mode: 'throughput', acknowledge: false }))['perSecond']);
  note('bareP50', (await measure('bare', bare, { mode: 'latency', acknowledge: false }))['p50Ms']);
  await bare.stop();
  const relay = await startRelay(round);
  note('relay', (await measure('relay', relay, { mode: 'throughput', acknowledge: false }))['perSecond']);
  note('relayAcked', (await measure('relay', relay, { mode: 'throughput', acknowledge: true }))['perSecond']);
  note('relayP50', (await measure('relay', relay, { mode: 'latency', acknowledge: false }))['p50Ms']);
  await relay.stop();
}
rmSync(folder, { recursive: true, force: true });

const rows = [
  ['throughput, messages a second', median('relay'), median('bare'), median('relay') / median('bare'), '>= 0.6'],
  ['throughput, each acknowledged', median('relayAcked'), median('bare'), median('relayAcked') / median('bare'), '>= 0.5'],
  ['latency p50, ms', median('relayP50'), median('bareP50'), median('relayP50') / median('bareP50'), '<= 2'],
] as const;
console.log(`medians of ${rounds} interleaved rounds, ${count} messages each, 16 senders and 16 receivers`);
console.log('| figure | relay | bare program | ratio | wanted |\n|---|---|---|---|---|');
for (const [name, ours, theirs, ratio, wanted] of rows)
  console.log(`| ${name} | ${ours.toFixed(2)} | ${theirs.toFixed(2)} | ${ratio.toFixed(2)} | ${wanted} |`);
