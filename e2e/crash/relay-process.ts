import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ownerTokenPath } from 'agent-relay-wire/node';

const program = fileURLToPath(new URL('../../packages/server/dist/cli.js', import.meta.url));

export interface RelayProcess {
  readonly ownerToken: string;
  kill(): Promise<void>;
}

/** `agent-relay serve` in a process of its own, over the database in `folder`; resolves once it listens. Its settings are under the names of their variables. */
export async function startRelay(folder: string, port: number, settings: Readonly<Record<string, string>> = {}): Promise<RelayProcess> {
  const database = join(folder, 'relay.db');
  const args = [program, 'serve', '--port', String(port), '--db', database, '--no-local-node', '--no-login-link'];
  // Failed callbacks are part of the run: they would fill the screen with warnings.
  const env = { HOME: folder, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], AGENT_RELAY_LOG: 'error', ...settings };
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await firstLine(child);
  return {
    ownerToken: (await readFile(ownerTokenPath(database), 'utf8')).trim(),
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
