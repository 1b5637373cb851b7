import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const Incoming = z.looseObject({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.looseObject({ message: z.string() }).optional(),
});

export interface AppServer extends AsyncDisposable {
  readonly notifications: readonly { method: string; params: unknown }[];
  call(method: string, params: object): Promise<unknown>;
}

/** The real `codex app-server` over stdio, initialized. */
export async function startAppServer(binary: string, { env, cwd }: { env: Record<string, string>; cwd: string }): Promise<AppServer> {
  const child = spawn(binary, ['app-server'], { env, cwd, stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  const notifications: { method: string; params: unknown }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, method, params, result, error } = Incoming.parse(JSON.parse(line));
    if (method !== undefined) notifications.push({ method, params });
    else if (id !== undefined && error !== undefined) waiting.get(id)?.reject(new Error(error.message));
    else if (id !== undefined) waiting.get(id)?.resolve(result);
  });
  const write = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  let lastId = 0;
  const call = (method: string, params: object): Promise<unknown> => {
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      write({ id, method, params });
    });
  };
  await call('initialize', { clientInfo: { name: 'agent-relay-testing', version: '0.0.0' }, capabilities: { experimentalApi: true } });
  write({ method: 'initialized' });
  return {
    notifications,
    call,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
    },
  };
}
