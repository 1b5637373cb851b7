import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
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

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('a listening server has an address');
  return address.port;
}
