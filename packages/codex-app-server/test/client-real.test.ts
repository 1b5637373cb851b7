import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { settlesWithin } from 'agent-relay-wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexAppServer } from '../src/app-server/codex-app-server.ts';
import { CodexClient } from '../src/app-server/codex-client.ts';
import type { CodexThread } from '../src/app-server/codex-thread.ts';
import type { CodexEndpoint } from '../src/app-server/endpoint.ts';
import { type CodexNotification, parseNotification } from '../src/app-server/notifications.ts';
import { startCuttableProxy } from './cuttable-proxy.ts';
import { type CodexBench, codexBench } from './harness.ts';

const clientInfo = { name: 'test', version: '1' };

async function untilTurnEnd(notifications: AsyncIterator<CodexNotification>): Promise<readonly CodexNotification[]> {
  const seen: CodexNotification[] = [];
  for (;;) {
    const next = await notifications.next();
    if (next.done) return seen;
    seen.push(next.value);
    if (next.value.method === 'turn/completed') return seen;
  }
}

const textOf = (notifications: readonly CodexNotification[]): readonly string[] =>
  notifications.flatMap((notification) => {
    const known = parseNotification(notification);
    const item = known?.method === 'item/completed' ? known.params.item.known : undefined;
    return item?.type === 'agentMessage' && item.text ? [item.text] : [];
  });

async function ask(thread: CodexThread, text: string): Promise<readonly string[]> {
  await thread.startTurn({ text, clientUserMessageId: `test-${text}` });
  return textOf(await untilTurnEnd(thread.notifications[Symbol.asyncIterator]()));
}

describe('the client and a real app-server', () => {
  let bench: CodexBench;
  let server: CodexAppServer | undefined;

  const start = async (transport: CodexEndpoint['transport'] | 'auto' = 'auto', runtimeDir?: string): Promise<CodexAppServer> => {
    server = await CodexAppServer.start({
      command: bench.command,
      env: bench.env,
      transport,
      ...(runtimeDir === undefined ? {} : { runtimeDir }),
    });
    return server;
  };

  beforeEach(async () => {
    bench = await codexBench();
  });

  afterEach(async () => {
    await server?.close();
    await bench[Symbol.asyncDispose]();
  });

  test.each(['unix', 'websocket', 'stdio'] as const)('over %s: a turn from its start to its end', async (transport) => {
    const { endpoint } = await start(transport);
    await using client = await CodexClient.connect(endpoint, { clientInfo });
    expect(client.userAgent).toMatch(/^test\/0\.\d+/);
    expect(client.isExperimental).toBe(true);
    const thread = await client.startThread({ cwd: bench.home.workFolder });
    expect(await ask(thread, 'say: hello')).toEqual(['hello']);
    expect(thread.state).toEqual({ status: 'idle' });
  });

  test('a runtime folder too deep for a socket path works all the same', async () => {
    const { endpoint } = await start('unix', join(bench.home.directory, 'd'.repeat(120)));
    await using client = await CodexClient.connect(endpoint, { clientInfo });
    expect((await client.listModels()).length).toBeGreaterThan(0);
  });

  test('the WebSocket needs the token, which only its owner can read', async () => {
    const runtimeDir = join(bench.home.directory, 'run');
    const { endpoint } = await start('websocket', runtimeDir);
    if (endpoint.transport !== 'websocket') throw new Error('a WebSocket was asked for');
    await expect(CodexClient.connect({ transport: 'websocket', url: endpoint.url }, { clientInfo })).rejects.toMatchObject({
      code: 'unauthorized',
    });
    expect((await stat(join(runtimeDir, 'codex.token'))).mode & 0o777).toBe(0o600);
  });

  test('a turn goes on while nobody is connected, and its text is there after the reconnect', async () => {
    const { endpoint } = await start('unix');
    const first = await CodexClient.connect(endpoint, { clientInfo });
    const thread = await first.startThread({ cwd: bench.home.workFolder });
    await thread.startTurn({ text: 'slow 10 20', clientUserMessageId: 'away' });
    await first.close();
    await using second = await CodexClient.connect(endpoint, { clientInfo });
    const resumed = await second.resumeThread(thread.id);
    await expect.poll(async () => (await resumed.listItems()).map(({ item }) => item.type)).toContain('agentMessage');
    const items = await resumed.listItems();
    expect(items.find(({ item }) => item.known?.type === 'userMessage')?.item.known).toMatchObject({ clientId: 'away' });
  });

  test('a line that is cut in mid-turn is joined again, and nothing is missed or doubled', async () => {
    const { endpoint } = await start('unix');
    if (endpoint.transport !== 'unix') throw new Error('a unix socket was asked for');
    await using proxy = await startCuttableProxy(endpoint.socketPath, join(bench.home.directory, 'proxy.sock'));
    await using client = await CodexClient.connect({ transport: 'unix', socketPath: proxy.socketPath }, { clientInfo });
    const thread = await client.startThread({ cwd: bench.home.workFolder, sandbox: 'danger-full-access', approvalPolicy: 'never' });
    const notifications = thread.notifications[Symbol.asyncIterator]();
    await thread.startTurn({ text: 'run command: sleep 1; echo ran && then say: survived', clientUserMessageId: 'cut' });
    const before: CodexNotification[] = [];
    while (!before.some((notification) => JSON.stringify(notification.params).includes('commandExecution'))) {
      const { value } = await notifications.next();
      if (value) before.push(value);
    }
    proxy.cut();
    const after = await untilTurnEnd(notifications);
    const completed = [...before, ...after].flatMap((notification) => {
      const known = parseNotification(notification);
      return known?.method === 'item/completed' ? [known.params.item] : [];
    });
    expect(completed.map(({ type }) => type)).toEqual(['userMessage', 'commandExecution', 'agentMessage']);
    expect(textOf(after)).toEqual(['survived']);
    expect([...before, ...after].filter(({ method }) => method === 'turn/started')).toHaveLength(1);
    expect(thread.state).toEqual({ status: 'idle' });
  });

  test.each(['answers again', 'is reached again by another line'])(
    'a server that stands still has each message once when it %s',
    async (how) => {
      const { endpoint, child } = await start('unix');
      if (endpoint.transport !== 'unix') throw new Error('a unix socket was asked for');
      await using proxy = await startCuttableProxy(endpoint.socketPath, join(bench.home.directory, 'proxy.sock'));
      const ours = { transport: 'unix', socketPath: proxy.socketPath } as const;
      await using client = await CodexClient.connect(ours, { clientInfo, requestTimeoutMs: 400 });
      const thread = await client.startThread({ cwd: bench.home.workFolder });
      await ask(thread, 'say: ready');
      process.kill(child.pid, 'SIGSTOP');
      const sending = Promise.all([
        thread.startTurn({ text: 'say: once', clientUserMessageId: 'started' }),
        thread.enqueue({ text: 'say: queued once', clientUserMessageId: 'queued' }),
      ]);
      expect(await settlesWithin(sending, 2_000)).toBe(false);
      if (how !== 'answers again') proxy.cut();
      process.kill(child.pid, 'SIGCONT');
      await sending;
      const said = async () =>
        (await thread.listItems()).flatMap(({ item }) => (item.known?.type === 'userMessage' ? [item.known.clientId] : []));
      await expect.poll(async () => (await said()).includes('queued')).toBe(true);
      await expect.poll(() => thread.activeTurnId).toBeUndefined();
      expect((await said()).sort()).toEqual(['queued', 'started', 'test-say: ready']);
    },
  );

  test('a line that is cut before the first turn is joined with it', async () => {
    const { endpoint } = await start('unix');
    if (endpoint.transport !== 'unix') throw new Error('a unix socket was asked for');
    await using proxy = await startCuttableProxy(endpoint.socketPath, join(bench.home.directory, 'proxy.sock'));
    await using client = await CodexClient.connect({ transport: 'unix', socketPath: proxy.socketPath }, { clientInfo });
    const thread = await client.startThread({ cwd: bench.home.workFolder });
    proxy.cut();
    expect(await ask(thread, 'say: late but here')).toEqual(['late but here']);
  });

  test('an unloaded thread can be resumed by another server', async () => {
    const { endpoint } = await start('unix');
    await using client = await CodexClient.connect(endpoint, { clientInfo });
    const thread = await client.startThread({ cwd: bench.home.workFolder });
    await ask(thread, 'say: remember me');
    await thread.unload();
    await using other = await CodexAppServer.start({ command: bench.command, env: bench.env });
    await using otherClient = await CodexClient.connect(other.endpoint, { clientInfo });
    const resumed = await otherClient.resumeThread(thread.id);
    expect(await ask(resumed, 'say: again')).toEqual(['again']);
  });

  test('closing ends the server, a running command with it, and leaves no folder', async () => {
    const { endpoint, child } = await start('unix');
    if (endpoint.transport !== 'unix') throw new Error('a unix socket was asked for');
    await using client = await CodexClient.connect(endpoint, { clientInfo });
    const thread = await client.startThread({ cwd: bench.home.workFolder });
    await thread.startTurn({ text: 'run command: sleep 300', clientUserMessageId: 'sleep', sandboxPolicy: { type: 'dangerFullAccess' } });
    const notifications = thread.notifications[Symbol.asyncIterator]();
    for (let method = ''; method !== 'item/started'; ) {
      const { value } = await notifications.next();
      const known = value ? parseNotification(value) : undefined;
      if (known?.method === 'item/started' && known.params.item.type === 'commandExecution') method = known.method;
    }
    await server?.close();
    expect(child.hasExited).toBe(true);
    expect((await child.kill()).signalled).toEqual([]);
    expect(existsSync(endpoint.socketPath)).toBe(false);
  });

  test('a home below the temporary folder still runs commands', async () => {
    bench.env['TMPDIR'] = bench.home.directory;
    const { endpoint } = await start('unix');
    await using client = await CodexClient.connect(endpoint, { clientInfo });
    const thread = await client.startThread({ cwd: bench.home.workFolder, sandbox: 'danger-full-access', approvalPolicy: 'never' });
    await ask(thread, 'edit file: made.txt | x && then say: ok');
    expect(existsSync(join(bench.home.workFolder, 'made.txt'))).toBe(true);
  });

  test('a server that ends at once says why', async () => {
    const env = { ...bench.env, CODEX_HOME: join(bench.home.directory, 'missing') };
    await expect(CodexAppServer.start({ command: bench.command, env })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringMatching(/CODEX_HOME|missing/),
    });
  });
});
