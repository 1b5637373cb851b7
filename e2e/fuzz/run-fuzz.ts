import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TempHome, tempHome } from 'agent-relay-testing';
import { seeded } from '../crash/seeded.ts';
import { type RunningProgram, startAgentRelay } from '../support/programs.ts';
import type { Credentials } from './callers.ts';
import { Findings } from './findings.ts';
import { HttpLane, type LaneOptions } from './http-lane.ts';
import { MachineLane } from './machine-lane.ts';
import { Memory } from './memory.ts';
import { SocketLane } from './socket-lane.ts';
import { allTargets, socketTargets } from './targets.ts';

export interface FuzzOptions {
  readonly requests: number;
  /** The same seed asks the same things; only what the answers are may differ, and so what is learnt from them. */
  readonly seed: number;
  /** Clients at a time. One alone makes a run repeat itself as far as the relay's own random ids allow. */
  readonly lanes?: number;
  readonly onProgress?: (requests: number) => void;
}

export interface FuzzReport {
  readonly seed: number;
  readonly requests: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** By target, how often it did what it was asked for; 0 for what was never reached. */
  readonly successes: Readonly<Record<string, number>>;
  /** Empty when everything held. */
  readonly faults: readonly string[];
  readonly seconds: number;
  /** Resident memory of the relay: before, the most, and after the run. */
  readonly memoryMiB: { readonly before: number; readonly most: number; readonly after: number };
}

const HEALTH_EVERY_MS = 500;
const integrationTokens = ['fuzz-integration-token-wide', 'fuzz-integration-token-narrow'] as const;

/** Asks a relay that was built, on a database of its own, for everything it offers, as everybody, rightly and wrongly; then kills it and starts it again. */
export async function runFuzz({ requests, seed, lanes = 16, onProgress = () => {} }: FuzzOptions): Promise<FuzzReport> {
  await using home = await tempHome();
  const receiver = await startReceiver(seed);
  try {
    return await fuzzIn(home, callbackUrlOf(receiver), { requests, seed, lanes, onProgress });
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
}

async function fuzzIn(home: TempHome, callbackUrl: string, options: Required<FuzzOptions>): Promise<FuzzReport> {
  const { seed } = options;
  const databasePath = join(home.directory, 'relay.db');
  const findings = new Findings();
  const start = () => startAgentRelay({ home, env: settings(databasePath, callbackUrl), args: ['--no-local-node'] });
  const relay = await start();
  void relay.ended.then(() => findings.stop());
  const before = await memoryMiBOf(relay.pid);
  const startedAt = performance.now();
  const watch = watchRelay(relay, findings, options.onProgress);
  await runLanes(relay, databasePath, findings, options);
  const most = await watch.stop();
  const seconds = (performance.now() - startedAt) / 1000;
  const alive = relay.isRunning();
  const after = alive ? await memoryMiBOf(relay.pid) : 0;
  await relay.end('SIGKILL');
  const faults = [
    ...(alive ? [] : [`the relay ended by itself:\n${relay.output().slice(-5_000)}`]),
    ...findings.faults(),
    ...watch.faults,
    ...errorLines(relay.output()),
    ...(await faultsAfterwards(start)),
  ];
  return {
    seed,
    requests: findings.requests,
    outcomes: findings.outcomes(),
    successes: successesOf(findings),
    faults,
    seconds,
    memoryMiB: { before, most, after },
  };
}

async function runLanes(
  relay: RunningProgram,
  databasePath: string,
  findings: Findings,
  { requests, seed, lanes }: Required<FuzzOptions>,
): Promise<void> {
  const credentials = await credentialsOf(relay, databasePath);
  const secrets = [credentials.owner, credentials.cookie, ...integrationTokens];
  const memory = new Memory();
  const port = Number(new URL(relay.url).port);
  const optionsOf = (name: string, lane: number): LaneOptions => ({
    name,
    port,
    credentials,
    findings,
    memory,
    secrets,
    random: seeded(seed * 7919 + lane),
  });
  const targets = allTargets();
  const share = Math.ceil(requests / (lanes + 1));
  const clients = Array.from({ length: lanes }, (_, lane) => new HttpLane(targets, optionsOf(`http ${lane}`, lane)).run(share));
  const socket = new SocketLane(socketTargets(), optionsOf('socket', 101)).run(Math.ceil(share * 0.8));
  const machine = new MachineLane(optionsOf('machine', 102)).run(Math.ceil(share * 0.2));
  const ended = await Promise.allSettled([...clients, socket, machine]);
  // When the relay has gone, that is the fault, and not what each of its clients says of it.
  if (!relay.isRunning()) return;
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
}

const successesOf = (findings: Findings): Record<string, number> => {
  const names = [...allTargets().map(({ name }) => name), ...socketTargets().map(({ name }) => `socket ${name}`)];
  return Object.fromEntries(names.map((name) => [name, findings.successes().get(name) ?? 0]));
};

const settings = (databasePath: string, callbackUrl: string): Record<string, string> => ({
  DB_PATH: databasePath,
  AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: '1',
  AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE: '1000000',
  // Short, so that agents go stale, are pruned and their work is taken back while the run lasts.
  STALE_TTL_MS: '8000',
  REAP_INTERVAL_MS: '1000',
  OFFLINE_PRUNE_MS: '20000',
  AGENT_RELAY_INTEGRATIONS: JSON.stringify([
    { name: 'wide', token: integrationTokens[0], scopes: ['*'], callbackUrl },
    {
      name: 'narrow',
      token: integrationTokens[1],
      scopes: ['tasks:create', 'tasks:read'],
      targets: ['tag:group-1', 'id:agent-1'],
      channels: ['group-2'],
      callbackUrl,
    },
  ]),
});

async function credentialsOf(relay: RunningProgram, databasePath: string): Promise<Credentials> {
  const owner = (await readFile(`${databasePath}.owner-token`, 'utf8')).trim();
  const code = relay.loginLink.split('#')[1];
  const response = await fetch(`${relay.url}/api/login-codes/exchange`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  const cookie = /(agent_relay_session[^=]*=[^;]+)/u.exec(response.headers.get('set-cookie') ?? '')?.[1];
  const { session } = (await response.json()) as { readonly session?: string }; // as the page reads it
  if (cookie === undefined || session === undefined) throw new Error('a login link gives a cookie and a word');
  return { owner, integrations: integrationTokens, cookie, session };
}

/** Looks after the relay while it is fuzzed: that it answers, and how much memory it takes. */
function watchRelay(relay: RunningProgram, findings: Findings, onProgress: (requests: number) => void) {
  const faults: string[] = [];
  let most = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver && relay.isRunning()) {
      most = Math.max(most, await memoryMiBOf(relay.pid));
      const health = await fetch(`${relay.url}/api/health`, { signal: AbortSignal.timeout(30_000) }).catch((error: unknown) => error);
      const isWell = health instanceof Response && health.status === 200;
      if (!isWell && relay.isRunning() && faults.length === 0)
        faults.push(`health: ${health instanceof Response ? await health.text() : health}`);
      onProgress(findings.requests);
      await new Promise((resolve) => setTimeout(resolve, HEALTH_EVERY_MS));
    }
  })();
  const stop = async () => {
    isOver = true;
    await watching;
    return most;
  };
  return { faults, stop };
}

/** What it wrote about itself: a bug leaves as `internal` and its text stays in the log. */
const errorLines = (output: string): string[] =>
  [...new Set(output.split('\n').filter((line) => /"level":(?:50|60|"error"|"fatal")/u.test(line)))].slice(0, 10);

/** A relay that was killed in the middle of all that comes up again on the same database, which is whole. */
async function faultsAfterwards(start: () => Promise<RunningProgram>): Promise<string[]> {
  const relay = await start();
  const { stdout } = await relay.run('doctor');
  const code = await relay.end();
  const isWhole = /^ok {3}Database .*: whole$/mu.test(stdout) && /^ok {3}Relay /mu.test(stdout);
  return [...(isWhole ? [] : [`afterwards doctor says:\n${stdout}`]), ...(code === 0 ? [] : [`the restarted relay ended with ${code}`])];
}

async function memoryMiBOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1] ?? 0) / 1024);
}

/** Where callbacks go: it takes them, refuses them, or hangs up. */
async function startReceiver(seed: number): Promise<Server> {
  const random = seeded(seed);
  const server = createServer((request, response) => {
    request.resume();
    const roll = random();
    if (roll < 0.2) request.socket.destroy();
    else response.writeHead(roll < 0.8 ? 204 : 500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const callbackUrlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`; // it listens on TCP
