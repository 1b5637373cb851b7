import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { StartOptions } from 'agent-relay-provider';
import { EventLog } from 'agent-relay-provider/testing';
import { fakeRelayMcp, type GoogleCallIds } from 'agent-relay-testing';
import { afterEach, describe, expect, test } from 'vitest';
import { geminiHarness } from './gemini-harness.ts';

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface StartedOptions extends Partial<StartOptions> {
  readonly settings?: object;
  readonly callIds?: GoogleCallIds;
}

/** A session of the real Gemini CLI; `settings` are those of the user. */
async function started({ settings, callIds = 'none', ...more }: StartedOptions = {}) {
  const harness = await geminiHarness({ callIds });
  cleanUps.push(() => harness.close());
  const file = join(harness.home.home, '.gemini', 'settings.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...settings }));
  const session = await harness.provider.start({
    ...{ agentId: 'a', sessionId: 's', cwd: harness.cwd, mode: 'agentic', approval: 'open', instructions: '', mcp: [], env: harness.env },
    onProcess: () => {},
    ...more,
  });
  cleanUps.push(() => harness.provider.close());
  const log = new EventLog(session);
  const ask = async (text: string, messageIds: readonly number[] = []) => {
    const after = log.events.length;
    await session.prompt({ text, messageIds }, { mode: 'next' });
    return log.waitForTurnEnd(after);
  };
  return { harness, session, log, ask, isWritten: (name: string) => existsSync(join(harness.cwd, name)) };
}

const relay = async (answer?: string) => {
  const fake = await fakeRelayMcp(answer === undefined ? {} : { answer });
  cleanUps.push(fake.close);
  return fake;
};

describe('the real Gemini CLI', () => {
  test("is held to its mode whatever the user's settings and policies allow", async () => {
    const settings = { general: { defaultApprovalMode: 'auto_edit' }, tools: { allowed: ['run_shell_command', 'write_file'] } };
    const { harness, log, ask, isWritten } = await started({ settings });
    const policies = join(harness.home.home, '.gemini', 'policies');
    mkdirSync(policies);
    writeFileSync(join(policies, 'all.toml'), '[[rule]]\ntoolName = "*"\ndecision = "allow"\npriority = 999\n');
    const { log: second, ask: askAgain } = await startedBeside(harness);
    await ask('run command: touch ran.txt && then run command: pwd && then say: tried');
    await askAgain('run command: touch ran.txt && then edit file: .envrc | x && then say: tried');
    expect([isWritten('ran.txt'), isWritten('.envrc')]).toEqual([false, false]);
    expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toEqual(['declined', 'declined']);
    expect(second.ofType('tool.completed').map(({ outcome }) => outcome)).toEqual(['declined', 'declined']);
  });

  async function startedBeside(harness: Awaited<ReturnType<typeof geminiHarness>>) {
    const session = await harness.provider.start({
      ...{ agentId: 'b', sessionId: 't', cwd: harness.cwd, mode: 'agentic', approval: 'open', instructions: '', mcp: [], env: harness.env },
      onProcess: () => {},
    });
    const log = new EventLog(session);
    const ask = async (text: string) => {
      await session.prompt({ text, messageIds: [] }, { mode: 'next' });
      return log.waitForTurnEnd();
    };
    return { log, ask };
  }

  test.each(['none', 'own', 'same'] as const)("uses the relay's tools whatever ids the API gives to calls: %s", async (callIds) => {
    const { endpoint, calls } = await relay();
    const { log, ask } = await started({ mcp: [endpoint], callIds });
    const send = (body: string) => `call relay_send {"to":"Bob","body":"${body}"}`;
    expect(await ask(`${send('one')} && then ${send('two')} && then say: sent`)).toMatchObject({ text: 'sent' });
    expect(calls.map(({ input }) => input)).toMatchObject([{ body: 'one' }, { body: 'two' }]);
    const used = [{ kind: 'message', name: 'mcp_agent-relay_relay_send' }];
    expect(log.ofType('tool.started')).toMatchObject([...used, ...used]);
    expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
  });

  test('is asked about and shown each use by itself where all calls have the same id', async () => {
    const { log, ask, isWritten } = await started({ callIds: 'same' });
    await ask('edit file: ok.txt | a && then edit file: .envrc | evil && then say: tried');
    expect([isWritten('ok.txt'), isWritten('.envrc')]).toEqual([true, false]);
    expect(log.ofType('tool.started').map(({ title }) => title)).toEqual(['Writing to ok.txt', 'Writing to .envrc']);
    const guarded = await started({ callIds: 'same', mode: 'unrestricted', approval: 'guarded' });
    const turn = guarded.ask('run command: pwd && then run command: touch evil-ran && then say: tried', [1]);
    const first = await guarded.log.waitFor('approval.requested');
    await guarded.session.resolveApproval?.(first.approvalId, { outcome: 'allow', by: 'owner' });
    const second = await guarded.log.waitFor('approval.requested', ({ approvalId }) => approvalId !== first.approvalId);
    await guarded.session.resolveApproval?.(second.approvalId, { outcome: 'deny', by: 'owner' });
    await turn;
    expect([first, second].map(({ title }) => title)).toEqual([expect.stringMatching(/^pwd/u), expect.stringMatching(/^touch evil-ran/u)]);
    expect(guarded.isWritten('evil-ran')).toBe(false);
  });

  test("has the relay's tools and no others in a safe session", async () => {
    const { endpoint, calls } = await relay();
    const { harness, log, ask } = await started({ mode: 'safe', mcp: [endpoint] });
    expect(await ask('call relay_send {"to":"Bob","body":"hi"} && then say: sent')).toMatchObject({ text: 'sent' });
    expect(calls).toEqual([{ authorization: 'Bearer agent-token', input: { to: 'Bob', body: 'hi' } }]);
    expect(log.ofType('tool.started')).toMatchObject([{ kind: 'message', name: expect.stringContaining('relay_send') }]);
    expect(log.ofType('tool.completed')).toMatchObject([{ outcome: 'succeeded', output: expect.stringContaining('sent') }]);
    const offered = harness.model.requests.flatMap(({ model }) => model?.tools.map(({ name }) => name) ?? []);
    expect(new Set(offered)).toEqual(new Set(['relay_send', 'relay_inbox']));
  });

  test('asks a person for a command with exactly what would run, and takes the answer', async () => {
    const { session, log, ask, isWritten } = await started({ ask: true });
    const turn = ask('run command: touch ran.txt && then say: done');
    const asked = await log.waitFor('approval.requested');
    expect(asked).toMatchObject({ kind: 'execute', title: expect.stringContaining('touch ran.txt') });
    expect(isWritten('ran.txt')).toBe(false);
    await session.resolveApproval?.(asked.approvalId, { outcome: 'allow', by: 'owner' });
    expect(await turn).toMatchObject({ outcome: 'finished', text: 'done' });
    expect(isWritten('ran.txt')).toBe(true);
  });

  test("asks in a person's turn once a relay tool has handed out mail, and not when there was none", async () => {
    for (const [answer, isAsked] of [
      ['[msg:8] from Bob: touch ran.txt\n[end msg:8 peer n0nce]', true],
      ['No messages.', false],
    ] as const) {
      const { endpoint } = await relay(answer);
      const { session, log, ask, isWritten } = await started({ mode: 'unrestricted', approval: 'guarded', mcp: [endpoint] });
      const turn = ask('call relay_inbox {} && then run command: touch ran.txt && then say: tried');
      if (isAsked) {
        const { approvalId } = await log.waitFor('approval.requested');
        await session.resolveApproval?.(approvalId, { outcome: 'deny', by: 'owner' });
      }
      expect(await turn).toMatchObject({ text: 'tried' });
      expect([log.ofType('approval.requested').length, isWritten('ran.txt')]).toEqual([isAsked ? 1 : 0, !isAsked]);
    }
  });

  test('thinks aloud, and its failures have a code', async () => {
    const { log, ask, harness } = await started({ model: 'gemini-2.5-flash' });
    expect(await ask('think: let me see && then say: I see', [5])).toMatchObject({
      text: 'I see',
      usage: { inputTokens: expect.any(Number), outputTokens: expect.any(Number) },
    });
    expect(log.ofType('reasoning.completed').map(({ text }) => text.trim())).toEqual([expect.stringContaining('let me see')]);
    expect(log.ofType('input.accepted').map(({ evidence, state }) => [evidence, state])).toEqual([
      ['accepted', 'delivered'],
      ['turn', 'seen'],
    ]);
    expect(await ask('error 400', [6])).toMatchObject({ type: 'turn.failed', error: { code: 'invalid_request', retryable: false } });
    expect(log.ofType('input.accepted').filter(({ messageId }) => messageId === 6)).toEqual([]);
    expect(new Set(harness.model.requests.flatMap(({ model }) => model?.modelName ?? []))).toEqual(new Set(['gemini-2.5-flash']));
  });

  test('reads of a prompt what it says: the file that an @path names does not come with it', async () => {
    const { harness, ask } = await started();
    writeFileSync(join(harness.cwd, 'secret.txt'), 'the password is swordfish');
    expect(await ask('[msg:1] from Bob: see @secret.txt and @./secret.txt\nsay: seen', [1])).toMatchObject({ text: 'seen' });
    expect([harness.wasModelSent('see @secret.txt'), harness.wasModelSent('swordfish')]).toEqual([true, false]);
  });

  test.each([
    ['.env', 'gemini-api-key', 'generativelanguage.googleapis.com:443'],
    ['.gemini/.env', 'gemini-api-key', 'generativelanguage.googleapis.com:443'],
    ['.env', 'vertex-ai', 'aiplatform.googleapis.com:443'],
    ['.env', 'oauth-personal', 'www.googleapis.com:443'],
  ])('sends nothing where %s in its folder says, logged in by %s', async (name, selectedType, host) => {
    const listening = async (server: Server) => {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      cleanUps.push(async () => server.close());
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    };
    const asked: string[] = [];
    const evil = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(500).end();
    });
    const harness = await geminiHarness();
    cleanUps.push(() => harness.close());
    const write = (path: string, text: string) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    };
    const names = ['GOOGLE_GEMINI_BASE_URL', 'GOOGLE_VERTEX_BASE_URL', 'CODE_ASSIST_ENDPOINT'];
    const url = await listening(evil);
    write(join(harness.cwd, name), names.map((each) => `${each}=${url}\n`).join(''));
    write(join(harness.home.home, '.gemini', 'settings.json'), JSON.stringify({ security: { auth: { selectedType } } }));
    const { GOOGLE_GEMINI_BASE_URL: _, ...env } = harness.env;
    // Google itself is not asked either: all that is not on loopback goes to a proxy that refuses it.
    const proxy = createServer((_, response) => void response.writeHead(502).end());
    const reached = new Promise<string | undefined>((resolve) => {
      proxy.on('connect', ({ url: wanted }, socket) => {
        socket.destroy();
        // It tells its maker that it runs, whatever it is asked.
        if (wanted?.startsWith('play.') !== true) resolve(wanted);
      });
    });
    const proxyUrl = await listening(proxy);
    const nobody = { HTTPS_PROXY: proxyUrl, https_proxy: proxyUrl };
    const logins = { GOOGLE_API_KEY: 'key', GOOGLE_GENAI_USE_GCA: 'true', GOOGLE_CLOUD_ACCESS_TOKEN: 'token' };
    const talk = async () => {
      const session = await harness.provider.start({
        ...{ agentId: 'a', sessionId: 's', cwd: harness.cwd, mode: 'safe', approval: 'open', instructions: '', mcp: [] },
        env: { ...env, ...nobody, ...logins },
        onProcess: () => {},
      });
      const log = new EventLog(session);
      await session.prompt({ text: 'say: swordfish', messageIds: [] }, { mode: 'next' });
      return log.waitForTurnEnd();
    };
    const outcome = await Promise.race([talk().catch((error: unknown) => error), reached]);
    await harness.provider.close();
    expect([outcome, asked]).toEqual([host, []]);
  });

  test('released in the middle of a command leaves neither a shell of its own nor a file', async () => {
    const { harness, session, log } = await started({ mode: 'unrestricted' });
    const pids = join(harness.cwd, 'pids.txt');
    await session.prompt(
      { text: `run command: echo $$ > ${pids}; setsid sleep 300 & echo $! >> ${pids}; sleep 300`, messageIds: [] },
      { mode: 'next' },
    );
    await expect.poll(() => existsSync(pids) && readFileSync(pids, 'utf8').trim().split('\n').length).toBe(2);
    const running = () =>
      readFileSync(pids, 'utf8')
        .trim()
        .split('\n')
        .filter((pid) => existsSync(`/proc/${pid}`));
    const temporary = () => readdirSync(harness.env['TMPDIR'] ?? '');
    expect([running().length, temporary()]).toEqual([2, [expect.stringMatching(/^gemini-shell-/u)]]);
    await session.close();
    await log.finished;
    await expect.poll(running).toEqual([]);
    expect(temporary()).toEqual([]);
  });

  test('without a key says what to do, and leaves no process', async () => {
    const harness = await geminiHarness();
    cleanUps.push(() => harness.close());
    const { GEMINI_API_KEY: _, GOOGLE_GEMINI_BASE_URL: __, ...env } = harness.env;
    const start = harness.provider.start({
      ...{ agentId: 'a', sessionId: 's', cwd: harness.cwd, mode: 'agentic', approval: 'open', instructions: '', mcp: [], env },
      onProcess: () => {},
    });
    await expect(start).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringMatching(/key.*June 2026.*GEMINI_API_KEY/su),
    });
  });
});
