import { execFile, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createNodeRelayClient } from 'agent-relay-client/node';

const here = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);

/** `--name 5` of the command line. */
export function option(name: string, fallback: number): number {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? fallback : Number(process.argv[index + 1]);
}

export const names = (prefix: string, size: number): readonly string[] => Array.from({ length: size }, (_, index) => `${prefix}${index}`);

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** A program under test, ready for its load. */
export interface Program {
  readonly kind: 'bare' | 'relay';
  readonly url: string;
  /** Tokens by agent id, the owner's own among them; the bare program has none. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Resident memory, in bytes. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

export async function startBare(database: string): Promise<Program> {
  const { line, memory, stop } = await startChild([join(here, 'bare-program.ts'), database]);
  const { port } = JSON.parse(line);
  return { kind: 'bare', url: `ws://127.0.0.1:${port}`, tokens: {}, memory, stop };
}

/** Our relay as published, with these agents registered, each with a token of its own. */
export async function startRelay(database: string, agents: readonly string[]): Promise<Program> {
  const { line, memory, stop } = await startChild([join(here, 'relay-program.ts'), database]);
  const { url, ownerToken } = JSON.parse(line);
  const client = createNodeRelayClient({ url, token: ownerToken, transport: 'socket' });
  const tokens: Record<string, string> = { owner: ownerToken };
  for (const name of agents) {
    const { token } = await client.agents.register({ name, withToken: true });
    if (token !== undefined) tokens[name] = token;
  }
  await client.close();
  return { kind: 'relay', url: `${url.replace('http', 'ws')}/ws`, tokens, memory, stop };
}

export interface Work {
  readonly mode: 'throughput' | 'latency';
  readonly acknowledge: boolean;
  readonly senders: readonly string[];
  readonly receivers: readonly string[];
  readonly count: number;
}

export interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
}

/** Runs one load process against the program. */
export async function measure({ kind, url, tokens }: Program, work: Work): Promise<Figures> {
  const used = Object.fromEntries(
    [...work.senders, ...work.receivers].flatMap((name) => (tokens[name] === undefined ? [] : [[name, tokens[name]]])),
  );
  const plan = { ...work, program: kind, url, tokens: used, inFlight: 16, bodyLength: 200 };
  const { stdout } = await run(process.execPath, [join(here, 'load.ts'), JSON.stringify(plan)], { maxBuffer: 1 << 20 });
  return JSON.parse(stdout);
}

export async function startChild(
  args: readonly string[],
): Promise<{ line: string; memory: () => Promise<number>; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code} before it was ready`)));
  });
  return {
    line,
    memory: async () => Number((await run('ps', ['-o', 'rss=', '-p', String(child.pid)])).stdout) * 1024,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
