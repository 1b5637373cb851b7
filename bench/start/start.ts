/**
 * How long a person waits for a start, beside the same Node that starts nothing: a command that asks nobody, one that asks the relay, and
 * `serve` until its health answers. Interleaved rounds, medians; after a build.
 *
 *     node bench/start/start.ts [--rounds 11]
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '11' } } });
const cli = fileURLToPath(new URL('../../packages/server/dist/cli.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'agent-relay-start-'));
const env = { ...process.env, HOME: home };

const timed = async (work: () => unknown): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};
const node = (...args: string[]) => execFileSync(process.execPath, args, { env, stdio: 'ignore' });

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const isWell = (port: number) =>
  fetch(`http://127.0.0.1:${port}/api/health`).then(
    ({ ok }) => ok,
    () => false,
  );

/** A relay without agents on a database of its own; resolves when its health answers. */
async function serve() {
  const port = await freePort();
  const database = join(mkdtempSync(join(home, 'relay-')), 'relay.db');
  const args = [cli, 'serve', '--port', String(port), '--db', database, '--no-local-node', '--no-login-link'];
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
  const exited = once(child, 'exit');
  while (!(await isWell(port))) await pause(2);
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  return { database, stop };
}

const measures: Record<string, number[]> = {};
const note = (name: string, ms: number) => {
  measures[name] = [...(measures[name] ?? []), ms];
};
const running = await serve();
try {
  // The first round fills caches and counts for nothing.
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    const taken: Record<string, number> = {
      'node -e 0': await timed(() => node('-e', '0')),
      'agent-relay --version': await timed(() => node(cli, '--version')),
      'agent-relay agents': await timed(() => node(cli, 'agents', '--db', running.database)),
    };
    let relay: Awaited<ReturnType<typeof serve>> | undefined;
    taken['agent-relay serve, to its first health'] = await timed(async () => {
      relay = await serve();
    });
    await relay?.stop();
    if (round > 0) for (const [name, ms] of Object.entries(taken)) note(name, ms);
  }
} finally {
  await running.stop();
  rmSync(home, { recursive: true, force: true });
}

const median = (all: readonly number[]) => [...all].sort((left, right) => left - right)[Math.floor(all.length / 2)] ?? Number.NaN;
const bare = median(measures['node -e 0'] ?? []);
for (const [name, all] of Object.entries(measures)) {
  console.log(`${name.padEnd(42)} ${median(all).toFixed(0).padStart(5)} ms   ${(median(all) / bare).toFixed(1)} x node -e 0`);
}
