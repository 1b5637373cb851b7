import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexAdapter, type CodexAdapterOptions } from '../src/adapter/codex-adapter.ts';
import { CodexAppServer } from '../src/app-server/codex-app-server.ts';
import { type CodexBench, codexBench, wasModelSent } from './harness.ts';

describe('the adapter and a real app-server', () => {
  let bench: CodexBench;
  let adapter: CodexAdapter;
  let responses: [string, string][];
  let errors: string[];

  beforeEach(async () => {
    bench = await codexBench();
    make();
  });

  afterEach(async () => {
    await adapter.disconnect();
    await bench[Symbol.asyncDispose]();
  });

  const make = (options: Partial<CodexAdapterOptions> = {}) => {
    responses = [];
    errors = [];
    adapter = new CodexAdapter({
      cwd: bench.home.workFolder,
      env: bench.env,
      command: bench.command,
      onError: (name, error) => errors.push(`${name}: ${error instanceof Error ? error.message : error}`),
      ...options,
    });
    adapter.onResponse((name, response) => responses.push([name, response]));
  };
  const heard = (name: string, text: string) => expect.poll(() => responses).toContainEqual([name, text]);

  test('agents by name on a server of its own: task, message, steering, interrupt, and the end', async () => {
    await adapter.connect();
    const worker = await adapter.createAgent('Worker', 'edit file: made.txt | x && then say: made it');
    expect([worker.name, worker.status, worker.threadId]).toEqual(['Worker', 'processing', expect.stringMatching(/^[\da-f-]{36}$/u)]);
    await heard('Worker', 'made it');
    expect([worker.status, existsSync(join(bench.home.workFolder, 'made.txt'))]).toEqual(['completed', true]);
    expect((await adapter.createAgent('Idle', '')).status).toBe('idle');

    await adapter.sendMessage('Worker', { from: 'Lead', body: 'say: understood' });
    await heard('Worker', 'understood');
    expect(wasModelSent(bench.model, '[Message from Lead]\n\nsay: understood')).toBe(true);

    await worker.sendTurn('run command: sleep 1');
    await adapter.steerAgent('Worker', 'say: changed course');
    await heard('Worker', 'changed course');

    await worker.sendTurn('slow 400 50');
    await adapter.interruptAgent('Worker');
    await expect.poll(() => worker.status).toBe('completed');
    expect(responses.map(([, text]) => text)).toEqual(['made it', 'understood', 'changed course']);

    await adapter.destroyAgent('Worker');
    await expect(adapter.sendMessage('Worker', { from: 'Lead', body: 'x' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(worker.sendTurn('x')).rejects.toMatchObject({ code: 'connection_closed' });
    await expect(adapter.createAgent('Idle', '')).rejects.toMatchObject({ code: 'name_taken' });
    expect(errors).toEqual([]);
  });

  test('joins a server that runs already, and leaves it running', async () => {
    await using server = await CodexAppServer.start({ command: bench.command, env: bench.env, transport: 'unix' });
    if (server.endpoint.transport !== 'unix') throw new Error('a unix socket was asked for');
    const endpoint = `unix://${server.endpoint.socketPath}`;
    await adapter.connect(endpoint);
    await adapter.createAgent('Worker', 'say: first');
    await heard('Worker', 'first');
    await adapter.disconnect();
    expect(server.child.hasExited).toBe(false);
    await adapter.connect(endpoint);
    await adapter.createAgent('Worker', 'say: second');
    await heard('Worker', 'second');
  });

  test('says why a turn failed, and what a handler throws costs nobody else', async () => {
    adapter.onResponse(() => {
      throw new Error('a bug of the handler');
    });
    adapter.onResponse(() => Promise.reject(new Error('another bug')));
    const after: string[] = [];
    adapter.onResponse((_, response) => after.push(response));
    await adapter.connect();
    await adapter.createAgent('Worker', 'error 503 server_is_overloaded');
    await expect.poll(() => errors).toEqual([expect.stringMatching(/^Worker: Selected model is at capacity/u)]);
    await adapter.sendMessage('Worker', { from: 'Lead', body: 'say: fine now' });
    await heard('Worker', 'fine now');
    await expect.poll(() => errors.slice(1)).toEqual(['Worker: a bug of the handler', 'Worker: another bug']);
    expect(after).toEqual(['fine now']);
  });

  test('what is no endpoint, and what needs a connection, is refused by name', async () => {
    await expect(adapter.connect('localhost:4500')).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path: 'endpoint' }] });
    await expect(adapter.createAgent('Worker', '')).rejects.toMatchObject({ code: 'connection_closed' });
    await adapter.connect();
    await expect(adapter.connect()).rejects.toMatchObject({ code: 'name_taken' });
  });

  test('the program in the README runs as it stands', async () => {
    const folder = fileURLToPath(new URL('..', import.meta.url));
    const blocks = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gmu)].map(
      ([, code]) => code ?? '',
    );
    const code = blocks.find((block) => block.includes('new CodexAdapter')) ?? '';
    expect(code.trim().split('\n').length).toBeLessThanOrEqual(10);
    const program = spawn(process.execPath, ['--conditions=agent-relay-source', '--input-type=module', '--eval', code], {
      cwd: folder,
      env: { ...bench.env, PATH: `${join(bench.command, '..')}:${bench.env['PATH']}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    program.stderr.on('data', (piece) => {
      said += piece;
    });
    let output = '';
    for await (const piece of program.stdout) output += piece;
    expect([output, said]).toEqual(['Reviewer: Nothing to do.\n', '']);
  });
});
