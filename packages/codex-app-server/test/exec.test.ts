import { existsSync, readFileSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessSandbox, StartOptions } from 'agent-relay-provider';
import { EventLog } from 'agent-relay-provider/testing';
import { environmentOfSync } from 'agent-relay-wire/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexExecProvider } from '../src/provider/exec/exec-provider.ts';
import { startFakeRelayTools } from './fake-relay-tools.ts';
import { type CodexBench, codexBench, codexVersions } from './harness.ts';

const owner = (text: string) => ({ text, messageIds: [] });
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const token = 'Bearer of-this-agent-alone';

function commandLine(pid: number): string {
  // It has a command line from when its program is loaded, as it has an environment.
  environmentOfSync(pid);
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it has ended already
  }
}

describe.each(codexVersions)('codex exec %s', (_version, command) => {
  let bench: CodexBench;
  let provider: CodexExecProvider;
  let arguments_: string[];

  beforeEach(async () => {
    bench = await codexBench(command);
    provider = new CodexExecProvider({ command });
    arguments_ = [];
  });

  afterEach(async () => {
    await provider.close();
    await bench[Symbol.asyncDispose]();
  });

  const start = async (options: Partial<StartOptions> = {}) => {
    const session = await provider.start({
      agentId: 'agent',
      sessionId: 'session',
      cwd: bench.home.workFolder,
      mode: 'unrestricted',
      approval: 'open',
      instructions: 'Be brief.',
      mcp: [],
      env: bench.env,
      onProcess: ({ pid, purpose }) => {
        if (purpose === 'codex exec') arguments_.push(commandLine(pid));
      },
      ...options,
    });
    return { session, log: new EventLog(session) };
  };

  const turn = async ({ session, log }: Awaited<ReturnType<typeof start>>, text: string, messageIds: readonly number[] = []) => {
    const after = log.events.length;
    await session.prompt({ text, messageIds }, { mode: 'next' });
    return await log.waitForTurnEnd(after);
  };

  test('prompts go on with one thread, which is told once, and each turn counts its own tokens', async () => {
    const agent = await start();
    expect(agent.session.vendorSessionId).toBe(null);
    const [one, two] = [await turn(agent, 'say: one'), await turn(agent, 'say: two')];
    expect(agent.log.ofType('session.started')).toMatchObject([
      { vendorSessionId: agent.session.vendorSessionId, cwd: bench.home.workFolder },
    ]);
    const tokens = [one, two].map((end) => (end.type === 'turn.completed' ? (end.usage?.outputTokens ?? 0) : 0));
    expect(Math.max(...tokens)).toBeLessThan(2 * Math.min(...tokens));
  });

  test('prompts that come while a turn runs wait, and run in their order', async () => {
    const { session, log } = await start();
    const said = ['first', 'second', 'third'];
    await Promise.all(said.map((word) => session.prompt(owner(`run command: sleep 0.2 && then say: ${word}`), { mode: 'next' })));
    await log.waitFor('text.completed', ({ text }) => text === 'third');
    expect(log.ofType('text.completed').map(({ text }) => text)).toEqual(said);
  });

  test('the token of its tools is neither on a command line nor in the environment of its commands', async () => {
    await using relay = await startFakeRelayTools();
    const agent = await start({ mcp: [{ name: 'agent-relay', url: relay.url, headers: { authorization: token } }] });
    await turn(agent, 'call relay_send {"to":"Bob"} && then run command: env > env.txt && then say: done');
    expect(relay.calls).toEqual([{ authorization: token, tool: 'relay_send', input: { to: 'Bob' } }]);
    expect(readFileSync(join(bench.home.workFolder, 'env.txt'), 'utf8')).not.toContain(token);
    expect(arguments_).toEqual([expect.stringContaining('agent-relay')]);
    expect(arguments_.join()).not.toContain(token);
    expect(agent.log.ofType('tool.started')).toContainEqual(expect.objectContaining({ name: 'relay_send', kind: 'message' }));
  });

  test('a turn with other rights than those of mail has no tool that may answer with mail', async () => {
    await using relay = await startFakeRelayTools();
    const mcp = [{ name: 'agent-relay', url: relay.url, headers: { authorization: token } }];
    const agent = await start({ approval: 'guarded', mode: 'agentic', mcp });
    const call = 'call relay_inbox {} && then say: done';
    await turn(agent, call);
    expect(relay.calls).toEqual([]);
    bench.model.takeViolations();
    await turn(agent, call, [7]);
    expect(relay.calls).toMatchObject([{ tool: 'relay_inbox' }]);
  });

  test("a safe session has none of the user's own MCP servers", async () => {
    await using relay = await startFakeRelayTools();
    await appendFile(join(bench.home.codexHome, 'config.toml'), `\n[mcp_servers.mine]\nurl = "${relay.url}"\n`);
    const call = 'call relay_inbox {} && then say: done';
    await turn(await start({ mode: 'unrestricted' }), call);
    expect(relay.calls).toHaveLength(1);
    await turn(await start({ mode: 'safe' }), call);
    expect(relay.calls).toHaveLength(1);
    bench.model.takeViolations();
  });

  test('a turn that fails says why once, and the tries before it as well', async () => {
    const agent = await start();
    expect(await turn(agent, 'error 500')).toMatchObject({ type: 'turn.failed', error: { code: 'other' } });
    expect(agent.log.ofType('agent.error')).toMatchObject([{ willRetry: true, message: expect.stringContaining('1/1') }]);
  });

  test('a session goes on with a stored conversation, and with none that is not stored', async () => {
    const earlier = await start();
    await turn(earlier, 'say: the first words');
    const resume = earlier.session.vendorSessionId ?? '';
    await earlier.session.close();
    const agent = await start({ resume });
    expect(agent.session.vendorSessionId).toBe(resume);
    expect(await turn(agent, 'say: the second words')).not.toHaveProperty('usage');
    expect(JSON.stringify(bench.model.requests.at(-1)?.body)).toContain('the first words');
    expect(await turn(agent, 'say: the third words')).toMatchObject({ usage: { outputTokens: expect.any(Number) } });
    expect(agent.log.ofType('session.started')).toMatchObject([{ vendorSessionId: resume }]);
    const missing = '00000000-0000-7000-8000-000000000000';
    await expect(start({ resume: missing })).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining(missing) });
  });

  test('pictures reach the model with the first prompt and with a later one, and are no files any more', async () => {
    const agent = await start();
    for (const count of [1, 2]) {
      const after = agent.log.events.length;
      const known = bench.model.requests.length;
      await agent.session.prompt({ ...owner('say: seen'), images: [{ mediaType: 'image/png', data: pixel }] }, { mode: 'next' });
      await agent.log.waitForTurnEnd(after);
      const sent = JSON.stringify(bench.model.requests.slice(known).map(({ body }) => body));
      expect(sent.split(pixel.slice(0, 40))).toHaveLength(count + 1);
    }
    const files = arguments_.map((line) => line.split('\0')).map((words) => words[words.indexOf('--image') + 1] ?? '');
    expect(files).toEqual([expect.stringMatching(/\.png$/u), expect.stringMatching(/\.png$/u)]);
    await expect.poll(() => files.filter((path) => existsSync(path))).toEqual([]);
  });

  test('further arguments are handed on', async () => {
    const agent = await start({ extraArgs: ['--config', 'model_reasoning_effort="low"'] });
    await turn(agent, 'say: hi');
    expect(arguments_.join()).toContain('model_reasoning_effort');
  });

  test('every process is put into the sandbox of its session', async () => {
    const confined: unknown[] = [];
    const seen: unknown[] = [];
    const sandbox: ProcessSandbox = {
      kind: 'bwrap',
      confine: async (outside) => {
        confined.push(outside.args?.[0]);
        return { ...outside, sandbox: 'bwrap' };
      },
    };
    const agent = await start({ mode: 'safe', sandbox, onProcess: (owned) => seen.push(owned.sandbox) });
    await turn(agent, 'say: hi');
    expect(confined).toEqual(['--version', 'mcp', 'exec']);
    expect(seen).toEqual(['bwrap', 'bwrap', 'bwrap']);
    expect(provider.sandboxFiles({ cwd: '/', env: bench.env }).write).toEqual([join(bench.home.codexHome, 'sessions')]);
  });

  test('a prompt that Codex does not take is refused in its own words, and the session stays', async () => {
    const agent = await start();
    await appendFile(join(bench.home.codexHome, 'config.toml'), '\nnonsense =');
    await expect(agent.session.prompt(owner('say: hi'), { mode: 'next' })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringMatching(/^Codex did not take the prompt: .*config/su),
    });
    expect(await agent.session.interrupt()).toBe(false);
  });
});

test('a codex that stays after its turn keeps no prompt waiting', async () => {
  await using bench = await codexBench();
  const command = join(bench.home.directory, 'staying-codex');
  const said = [{ type: 'thread.started', thread_id: 't' }, { type: 'turn.started' }, { type: 'turn.completed', usage: null }];
  const lines = said.map((line) => `echo '${JSON.stringify(line)}'`).join('\n');
  await writeFile(command, `#!/bin/sh\n[ "$1" = --version ] && echo codex 1.2.3 && exit\n${lines}\nsleep 300\n`, { mode: 0o755 });
  const provider = new CodexExecProvider({ command });
  const session = await provider.start({
    agentId: 'agent',
    sessionId: 'session',
    cwd: bench.home.workFolder,
    mode: 'agentic',
    approval: 'open',
    instructions: '',
    mcp: [],
    env: bench.env,
    onProcess: () => {},
  });
  const log = new EventLog(session);
  await session.prompt(owner('one'), { mode: 'next' });
  await session.prompt(owner('two'), { mode: 'next' });
  await expect.poll(() => log.ofType('turn.completed')).toHaveLength(2);
  await provider.close();
});
