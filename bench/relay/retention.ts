import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { createLogger, readConfig, startServer } from 'agent-relay-server';
import Sqlite from 'better-sqlite3';
import { measure, names, option, startRelay } from './programs.ts';

/**
 * What somebody who sends notices of pruning: two relays with the same messages and ended tasks, side by side, and one of them prunes all of
 * it; one message at a time, to each in turn. Fails when the p99 of the one that prunes is more than the bound times the other's.
 * Usage, after a build: node bench/relay/retention.ts [--stored 200000] [--tasks 20000] [--bound 3]
 */
const DAY_MS = 86_400_000;
const REAP_INTERVAL_MS = 2_000;

interface Figures {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

async function serve(databasePath: string): Promise<void> {
  const flags = { DB_PATH: databasePath, PORT: '0', AGENT_RELAY_LOCAL_NODE: '0', REAP_INTERVAL_MS: String(REAP_INTERVAL_MS) };
  const server = await startServer(readConfig({ env: {}, flags }), { log: createLogger('warn') });
  console.log(JSON.stringify({ url: server.url, token: server.ownerToken }));
  process.on('SIGTERM', () => void server.stop().then(() => process.exit(0)));
}

async function startServing(databasePath: string): Promise<{ url: string; token: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), 'serve', databasePath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { url, token } = JSON.parse(await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve)));
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  return { url, token, stop };
}

/** Sends one message at a time, to each relay in turn, from when `begins` says so until `ends` does; answers what each took. */
async function sendInTurn(databases: readonly string[], begins: () => boolean, ends: () => boolean): Promise<readonly Figures[]> {
  const relays = await Promise.all(databases.map(startServing));
  const clients = relays.map(({ url, token }) => createNodeRelayClient({ url, token, transport: 'socket' }));
  const samples: number[][] = clients.map(() => []);
  let hasBegun = false;
  for (let count = 0; ; count += 1) {
    for (const [index, client] of clients.entries()) {
      const at = performance.now();
      await client.messages.send({ to: 'id:receiver0', body: 'x'.repeat(200) });
      if (hasBegun) samples[index]?.push(performance.now() - at);
    }
    // Looking costs a query, so not at every message.
    if (count % 20 !== 0) continue;
    hasBegun ||= begins();
    if (hasBegun && ends()) break;
  }
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(relays.map((relay) => relay.stop()));
  return samples.map(figuresOf);
}

function figuresOf(samples: number[]): Figures {
  const sorted = samples.sort((one, other) => one - other);
  const share = (part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
  return { count: sorted.length, p50Ms: share(0.5), p99Ms: share(0.99), longestMs: sorted.at(-1) ?? Number.NaN };
}

/** Stores tasks that are over, each with a history of several lines. */
async function endTasks(databasePath: string, count: number): Promise<void> {
  const relay = await startServing(databasePath);
  const client = createNodeRelayClient({ url: relay.url, token: relay.token, transport: 'socket' });
  const endOne = async (index: number) => {
    const event = { source: 'bench', target: 'id:receiver0', title: 'x'.repeat(200), dedupeKey: `key ${index}` };
    for (let repeat = 0; repeat < 3; repeat += 1) await client.integrations.report({ ...event, body: `${repeat}` });
    await client.integrations.report({ ...event, status: 'resolved' });
  };
  const left = Array.from({ length: count }, (_, index) => index).values();
  const lane = async () => {
    for (const index of left) await endOne(index);
  };
  await Promise.all(Array.from({ length: 64 }, lane));
  await client.close();
  await relay.stop();
}

/** Makes everything that is stored older than a relay keeps it. */
function age(databasePath: string): void {
  const database = new Sqlite(databasePath);
  database.prepare('UPDATE messages SET created_at = created_at - ?').run(60 * DAY_MS);
  database.prepare('UPDATE events SET at = at - ?').run(60 * DAY_MS);
  database.prepare('UPDATE tasks SET ended_at = ended_at - ?').run(60 * DAY_MS);
  database.close();
}

async function compare(stored: number, tasks: number, bound: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'agent-relay-bench-'));
  const databasePath = join(folder, 'relay.db');
  const [senders, receivers] = [names('sender', 16), names('receiver', 16)];
  const filling = await startRelay(databasePath, [...senders, ...receivers]);
  await measure(filling, { mode: 'throughput', acknowledge: true, senders, receivers, count: stored });
  await filling.stop();
  await endTasks(databasePath, tasks);

  const quietPath = join(folder, 'quiet.db');
  copyFileSync(databasePath, quietPath);
  age(databasePath);
  const reader = new Sqlite(databasePath, { readonly: true });
  const floor = reader.prepare<[], number>("SELECT value FROM meta WHERE key = 'pruned_through'").pluck();
  const oldest = reader.prepare<[], number>('SELECT created_at FROM messages ORDER BY id LIMIT 1').pluck();
  const taskIds = reader.prepare<[], number>('SELECT id FROM tasks LIMIT 1').pluck();
  // Tasks are pruned after the messages that offered them.
  const isPruned = () => (oldest.get() ?? Number.POSITIVE_INFINITY) > Date.now() - 30 * DAY_MS && taskIds.get() === undefined;
  const [quiet, pruning] = await sendInTurn([quietPath, databasePath], () => (floor.get() ?? 0) > 0, isPruned);
  reader.close();
  rmSync(folder, { recursive: true, force: true });
  if (!quiet || !pruning) throw new Error('there are two relays');

  console.log(
    `${stored} messages and ${tasks} ended tasks in each relay; ${pruning.count} messages sent to each while one of them pruned\n`,
  );
  console.log('| one message at a time | p50 ms | p99 ms | longest ms |\n|---|---|---|---|');
  const row = (name: string, { p50Ms, p99Ms, longestMs }: Figures) =>
    console.log(`| ${name} | ${p50Ms.toFixed(2)} | ${p99Ms.toFixed(2)} | ${longestMs.toFixed(1)} |`);
  row('nothing to prune', quiet);
  row('while pruning', pruning);
  const ratio = pruning.p99Ms / quiet.p99Ms;
  console.log(`\nratio of the p99: ${ratio.toFixed(1)}; wanted: at most ${bound}`);
  process.exit(ratio <= bound ? 0 : 1);
}

if (process.argv[2] === 'serve') await serve(process.argv[3] ?? '');
else await compare(option('stored', 200_000), option('tasks', 20_000), option('bound', 3));
