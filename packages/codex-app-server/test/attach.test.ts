import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentSession, OwnedProcess } from 'agent-relay-provider';
import { EventLog } from 'agent-relay-provider/testing';
import { type ChildHandle, spawnProcess } from 'agent-relay-wire/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexAppServer } from '../src/app-server/codex-app-server.ts';
import { CodexProvider, type CodexProviderOptions } from '../src/provider/codex-provider.ts';
import { type CodexBench, codexBench } from './harness.ts';

const mail = (text: string, ...messageIds: number[]) => ({ text, messageIds });

describe('which app-server runs a session', () => {
  let bench: CodexBench;
  let provider: CodexProvider;
  let processes: OwnedProcess[];
  let daemon: ChildHandle | undefined;

  beforeEach(async () => {
    bench = await codexBench();
    processes = [];
    provide();
  });

  afterEach(async () => {
    await provider.close();
    await daemon?.kill();
    daemon = undefined;
    await bench[Symbol.asyncDispose]();
  });

  const provide = (options: CodexProviderOptions = {}) => {
    provider = new CodexProvider({ command: bench.command, ...options });
  };
  const socketPath = () => join(bench.home.codexHome, 'app-server-control', 'app-server-control.sock');

  /** As Codex itself starts it, on the socket where its own programs look for it. */
  const startDaemon = async () => {
    const env = { ...bench.env, DAEMON_SECRET: 'of the daemon' };
    daemon = await spawnProcess({ command: bench.command, args: ['app-server', '--listen', 'unix://'], env, stdin: 'ignore' });
    await expect.poll(() => existsSync(socketPath())).toBe(true);
  };

  const start = async (env: Record<string, string> = bench.env): Promise<{ session: AgentSession; log: EventLog }> => {
    const session = await provider.start({
      agentId: 'agent',
      sessionId: 'session',
      cwd: bench.home.workFolder,
      mode: 'unrestricted',
      approval: 'open',
      instructions: '',
      mcp: [],
      env,
      onProcess: (owned) => processes.push(owned),
    });
    return { session, log: new EventLog(session) };
  };
  const runtimes = async (log: EventLog) => (await log.waitFor('session.started')).runtime;

  test("one of the provider's own where no other runs, and it says so", async () => {
    const own = 'an app-server of its own: no Codex daemon runs for this CODEX_HOME';
    expect(await provider.detect(bench.env)).toMatchObject({ available: true, runtime: own });
    const { log } = await start();
    expect([await runtimes(log), processes.length]).toEqual([own, 1]);
    expect(await provider.detect(bench.env)).toMatchObject({ available: true, runtime: own });
  });

  test('the daemon of its CODEX_HOME where that answers: it is joined, is not ended, and keeps its environment to itself', async () => {
    await startDaemon();
    const runtime = 'the Codex daemon of this CODEX_HOME, which runs';
    expect(await provider.detect(bench.env)).toMatchObject({ available: true, version: expect.stringMatching(/^\d+\.\d+/u), runtime });
    const { session, log } = await start({ ...bench.env, MINE: 'of the agent' });
    expect([await runtimes(log), processes]).toEqual([runtime, []]);
    await session.prompt(mail('run command: echo "$MINE, $DAEMON_SECRET." && then say: done', 1), { mode: 'next' });
    await log.waitForTurnEnd();
    expect(log.ofType('tool.completed')).toMatchObject([{ output: 'of the agent, .\n' }]);
    await session.close();
    await provider.close();
    expect(daemon?.hasExited).toBe(false);
  });

  test('a daemon that is killed and comes back costs the running turn', async () => {
    await startDaemon();
    const { session, log } = await start();
    await session.prompt(mail('slow 400 50', 1), { mode: 'next' });
    await log.waitFor('text.delta');
    await session.prompt(mail('say: after all', 2), { mode: 'next' });
    await daemon?.kill({ signals: ['SIGKILL'] });
    await startDaemon();
    await log.waitFor('text.completed', ({ text }) => text === 'after all');
    expect(log.ofType('turn.failed').map(({ error }) => error.code)).toEqual(['agent_crashed']);
    expect(processes).toEqual([]);
  });

  test('one of its own where the daemon does not answer, with the reason', async () => {
    await mkdir(join(socketPath(), '..'));
    await writeFile(socketPath(), '');
    const { log } = await start();
    expect(await runtimes(log)).toMatch(/^an app-server of its own: the Codex daemon of this CODEX_HOME does not answer \(/u);
    expect(processes).toHaveLength(1);
  });

  test.each(['option', 'environment'] as const)('the one that the %s names, before any daemon', async (place) => {
    await startDaemon();
    await using server = await CodexAppServer.start({ command: bench.command, env: bench.env, transport: 'unix' });
    if (server.endpoint.transport !== 'unix') throw new Error('a unix socket was asked for');
    const endpoint = `unix://${server.endpoint.socketPath}`;
    if (place === 'option') provide({ endpoint });
    const env = place === 'option' ? bench.env : { ...bench.env, CODEX_APP_SERVER: endpoint };
    const { session, log } = await start(env);
    expect([await runtimes(log), processes]).toEqual([`the app-server at ${endpoint}, which is configured`, []]);
    await session.prompt(mail('say: hello', 1), { mode: 'next' });
    await log.waitForTurnEnd();
    await provider.close();
    expect(server.child.hasExited).toBe(false);
  });

  test('a configured one that is not there is a sentence, and no other takes its place', async () => {
    const refusals = [
      ['unix:///nowhere/codex.sock', /^The configured Codex app-server at unix:\/\/\/nowhere\/codex\.sock cannot be reached: /u],
      ['nowhere', /ws:\/\/127\.0\.0\.1:4500/u],
    ] as const;
    for (const [endpoint, message] of refusals) {
      provide({ endpoint });
      await expect(start()).rejects.toMatchObject({ code: 'provider_unavailable', message: expect.stringMatching(message) });
      expect(await provider.detect(bench.env)).toEqual({ available: false, reason: expect.stringMatching(message) });
    }
    expect(processes).toEqual([]);
  });
});
