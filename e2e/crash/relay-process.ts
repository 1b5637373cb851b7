import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./relay-program.ts', import.meta.url));

export interface RelayProcess {
  readonly ownerToken: string;
  kill(): Promise<void>;
}

/** A relay in a process of its own, over the database in `folder`; resolves once it listens. */
export async function startRelay(folder: string, port: number, settings: Readonly<Record<string, string>> = {}): Promise<RelayProcess> {
  const args = [program, join(folder, 'relay.db'), String(port), JSON.stringify(settings)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
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
