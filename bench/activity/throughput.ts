/**
 * How fast what an agent does reaches an observer, each entry durable on its machine and again in the relay, beside a bare pipe of the same lines that keeps
 * nothing; in one run on one machine, interleaved, as ratios of medians.
 *
 *     npm run build && node bench/activity/throughput.ts [--rounds 5] [--events 50000]
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { median, option, startChild, startRelay } from '../relay/programs.ts';

const rounds = option('rounds', 5);
const events = option('events', 50_000);
/** One at a time, for what a single event takes. */
const singles = 200;
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'agent-relay-bench-'));

interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
}

/** Something that prints so many lines when asked to, and tells of each that arrives. */
interface Source {
  ask(count: number): Promise<void>;
  /** Told of each line; there is one listener at a time. */
  listen(onLine: () => void): void;
}

async function measure({ ask, listen }: Source): Promise<Figures> {
  const arrive = async (count: number) => {
    let seen = 0;
    let first = 0;
    const done = new Promise<number>((resolve) =>
      listen(() => {
        if (seen === 0) first = performance.now();
        seen += 1;
        if (seen === count) resolve(performance.now());
      }),
    );
    const from = performance.now();
    await ask(count);
    return { from, first, last: await done };
  };
  await arrive(1_000);
  const many = await arrive(events);
  const times: number[] = [];
  for (let turn = 0; turn < singles; turn += 1) {
    const { from, last } = await arrive(1);
    times.push(last - from);
  }
  return { perSecond: (events - 1) / ((many.last - many.first) / 1_000), p50Ms: median(times) };
}

async function measurePipe(): Promise<Figures> {
  const child = spawn(process.execPath, [at('line-agent.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] });
  let tell = () => {};
  createInterface({ input: child.stdout }).on('line', (line) => {
    JSON.parse(line);
    tell();
  });
  const figures = await measure({
    ask: async (count) => void child.stdin.write(`${count}\n`),
    listen: (onLine) => {
      tell = onLine;
    },
  });
  child.kill();
  return figures;
}

async function measureRelay(round: number): Promise<Figures> {
  const relay = await startRelay(join(folder, `relay-${round}.db`), []);
  const url = relay.url.replace('ws', 'http').replace(/\/ws$/u, '');
  const token = relay.tokens['owner'] ?? '';
  const stateDir = join(folder, `node-${round}`);
  mkdirSync(stateDir);
  const node = await startChild([at('node-program.ts'), url, token, stateDir]);
  const client = createNodeRelayClient({ url, token, transport: 'socket' });
  while ((await client.nodes.list({})).data.every(({ status }) => status !== 'online')) await pause(20);
  await client.sessions.start({ name: 'Lines', provider: 'lines', cwd: stateDir });
  let tell = () => {};
  const stop = new AbortController();
  const following = (async () => {
    for await (const { event } of client.activity('Lines', { after: 0, signal: stop.signal })) if (event.type === 'output.line') tell();
  })();
  const figures = await measure({
    ask: async (count) => void (await client.messages.send({ to: 'Lines', body: `lines: ${count}` })),
    listen: (onLine) => {
      tell = onLine;
    },
  });
  stop.abort();
  await following;
  await client.agents.release({ id: 'Lines' });
  await client.close();
  await node.stop();
  await relay.stop();
  return figures;
}

const ours: Figures[] = [];
const bare: Figures[] = [];
try {
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await measurePipe());
    ours.push(await measureRelay(round));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const row = (title: string, key: keyof Figures, digits: number) => {
  const [relay, pipe] = [median(ours.map((each) => each[key])), median(bare.map((each) => each[key]))];
  return `| ${title} | ${relay.toFixed(digits)} | ${pipe.toFixed(digits)} | ${(relay / pipe).toFixed(3)} |`;
};
console.log(`medians of ${rounds} interleaved rounds of ${events} events\n`);
console.log('| figure | connect and relay, durable | bare pipe | ratio |\n|---|---|---|---|');
console.log(row('events a second, from agent to observer', 'perSecond', 0));
console.log(row('p50 from asking to the one event that it makes, ms', 'p50Ms', 2));
