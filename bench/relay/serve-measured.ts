import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createLogger, readConfig, startServer } from 'agent-relay-server';

/** A relay in a process of its own that says how large its heap is once everything unreachable is gone. */
export interface MeasuredRelay {
  readonly url: string;
  readonly token: string;
  heapBytes(): Promise<number>;
  stop(): Promise<void>;
}

const here = fileURLToPath(import.meta.url);

export async function startMeasured(databasePath: string): Promise<MeasuredRelay> {
  const child = spawn(process.execPath, [...process.execArgv, '--expose-gc', here, databasePath], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { url, token } = JSON.parse(await firstLine(child));
  return {
    url,
    token,
    heapBytes: () =>
      new Promise((resolve) => {
        child.once('message', (bytes) => resolve(Number(bytes)));
        child.send('heap');
      }),
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** The rude callers, at work. */
export async function startRude(url: string): Promise<{ stop: () => void }> {
  const rude = fileURLToPath(new URL('./rude-callers.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, rude, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  await firstLine(child);
  return { stop: () => void child.kill('SIGKILL') };
}

const firstLine = ({ stdout }: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    if (stdout) createInterface({ input: stdout }).once('line', resolve);
  });

async function serve(databasePath: string): Promise<void> {
  const config = readConfig({ env: {}, flags: { DB_PATH: databasePath, PORT: '0', AGENT_RELAY_LOCAL_NODE: '0', RETENTION_DAYS: '1' } });
  const server = await startServer(config, { log: createLogger('warn') });
  console.log(JSON.stringify({ url: server.url, token: server.ownerToken }));
  process.on('message', () => {
    globalThis.gc?.();
    process.send?.(process.memoryUsage().heapUsed);
  });
  process.on('SIGTERM', () => void server.stop().then(() => process.exit(0)));
}

if (process.argv[1] === here) await serve(process.argv[2] ?? '');
