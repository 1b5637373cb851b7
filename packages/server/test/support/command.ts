import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ownCli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** What `vitest.config.ts` gives to every program that a test starts: where Node keeps what it has compiled. */
export const compiledCode = { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '' };

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly note: string;
}

export interface Command {
  readonly child: ChildProcess;
  readonly done: Promise<Outcome>;
  readonly out: () => string;
}

/** `agent-relay` as a process of its own, with nothing of our environment but what it is given. */
export function startCommand(args: readonly string[], env: Readonly<Record<string, string>>, cli = ownCli): Command {
  const child = spawn(process.execPath, ['--conditions=agent-relay-source', cli, ...args], {
    env: { ...compiledCode, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let note = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    note += chunk;
  });
  const done = new Promise<Outcome>((resolve) => child.on('close', (code) => resolve({ code, out, note })));
  return { child, done, out: () => out };
}
