import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sleep } from 'agent-relay-wire';
import { findViolations } from './checker.ts';
import { startWorkload } from './workload.ts';

const program = fileURLToPath(new URL('./relay-program.ts', import.meta.url));

export interface CrashRun {
  readonly cycles: number;
  readonly violations: readonly string[];
  readonly counts: { readonly sends: number; readonly acknowledgements: number; readonly completions: number };
  readonly events: number;
  readonly msPerCycle: number;
}

/**
 * Kills a relay with SIGKILL `times` times at random moments under load, then checks what the clients saw.
 * `random` chooses the moments, 0 to below 1; `onCycle` is told how far it is.
 */
export async function runCrashes({
  times,
  random = Math.random,
  onCycle = () => {},
}: {
  times: number;
  random?: () => number;
  onCycle?: (cycle: number) => void;
}): Promise<CrashRun> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-relay-crash-'));
  const port = await freePort();
  try {
    let relay = await startRelay(folder, port);
    const workload = await startWorkload({
      url: `ws://127.0.0.1:${port}/ws`,
      token: relay.ownerToken,
      senders: 3,
      racers: 4,
      readers: 2,
      inboxes: 3,
    });
    const startedAt = performance.now();
    for (let cycle = 0; cycle < times; cycle += 1) {
      await sleep(random() * 60);
      await relay.kill();
      relay = await startRelay(folder, port);
      onCycle(cycle + 1);
    }
    const msPerCycle = (performance.now() - startedAt) / times;
    const histories = await workload.finish();
    await relay.kill();
    return { cycles: times, violations: findViolations(histories), counts: workload.counts(), events: histories.log.length, msPerCycle };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface RunningRelay {
  readonly ownerToken: string;
  kill(): Promise<void>;
}

async function startRelay(folder: string, port: number): Promise<RunningRelay> {
  const child = spawn(process.execPath, [program, join(folder, 'relay.db'), String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { ownerToken } = JSON.parse(await firstLine(child));
  return {
    ownerToken,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout) createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code, signal) => reject(new Error(`the relay ended with ${code ?? signal} before it was ready`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('a listening server has an address');
  return address.port;
}
