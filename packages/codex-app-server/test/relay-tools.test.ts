import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentSession, OwnedProcess, StartOptions } from 'agent-relay-provider';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { type FakeRelayTools, startFakeRelayTools } from './fake-relay-tools.ts';
import { type CodexBench, codexBench, codexVersions } from './harness.ts';

const owner = (text: string) => ({ text, messageIds: [] });
const mail = (text: string, ...messageIds: number[]) => ({ text, messageIds });
const secret = 'Bearer a-secret-of-this-session';

describe.each(codexVersions)('the relay’s tools in Codex %s', (_, command) => {
  let bench: CodexBench;
  let provider: CodexProvider;
  let relay: FakeRelayTools;
  let processes: OwnedProcess[];
  let logs: EventLog[];

  beforeEach(async () => {
    bench = await codexBench(command);
    provider = new CodexProvider({ command: bench.command });
    relay = await startFakeRelayTools();
    processes = [];
    logs = [];
  });

  afterEach(async () => {
    await provider.close();
    for (const log of logs) {
      await log.finished;
      expect(brokenEventRules(log.events)).toEqual([]);
    }
    await relay[Symbol.asyncDispose]();
    await bench[Symbol.asyncDispose]();
  });

  const start = async (options: Partial<StartOptions> = {}): Promise<{ session: AgentSession; log: EventLog }> => {
    const session = await provider.start({
      agentId: 'agent',
      sessionId: 'session',
      cwd: bench.home.workFolder,
      mode: 'agentic',
      approval: 'open',
      instructions: '',
      mcp: [{ name: 'agent-relay', url: relay.url, headers: { authorization: secret } }],
      env: bench.env,
      onProcess: (owned) => processes.push(owned),
      ...options,
    });
    const log = new EventLog(session);
    logs.push(log);
    return { session, log };
  };
  const says = (log: EventLog, text: string) => log.waitFor('text.completed', (event) => event.text.includes(text));
  const offeredFirst = () => bench.model.requests.find(({ model }) => model !== undefined)?.model?.tools.map(({ fullName }) => fullName);
  const stored = async () => {
    const folder = join(bench.home.codexHome, 'sessions');
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.jsonl'));
    return (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).join('');
  };

  test('are there from the first request, are asked for by the session, and their secret is nowhere in Codex', async () => {
    const { session, log } = await start();
    await session.prompt(owner('call relay_send {"to":"Lead"} && then say: sent'), { mode: 'next' });
    await says(log, 'sent');
    expect(offeredFirst()).toEqual(expect.arrayContaining(['agent-relay__relay_send', 'agent-relay__relay_inbox']));
    expect(relay.calls).toEqual([{ authorization: secret, tool: 'relay_send', input: { to: 'Lead' } }]);
    expect(relay.clients).toEqual(['agent_relay']);
    expect(log.ofType('tool.started')).toMatchObject([{ name: 'relay_send', kind: 'message', input: { to: 'Lead' } }]);
    expect(log.ofType('tool.completed')).toMatchObject([{ outcome: 'succeeded', output: 'the relay answered' }]);
    const seen = `${JSON.stringify(bench.model.requests)}${await stored()}`;
    expect([seen.includes('relay_send'), seen.includes('a-secret-of-this-session')]).toEqual([true, false]);
  });

  test('end with the turn that called them', async () => {
    const { session, log } = await start();
    await session.prompt(owner('call relay_inbox {"waitMs":20000} && then say: heard'), { mode: 'next' });
    await log.waitFor('tool.started');
    await expect.poll(() => relay.calls.length).toBe(1);
    expect(await session.interrupt()).toBe(true);
    await log.waitForTurnEnd();
    await expect.poll(() => relay.abandoned).toBe(1);
    await session.prompt(owner('call relay_send {"to":"Lead"} && then say: sent'), { mode: 'next' });
    await says(log, 'sent');
  });

  test('that would hand out mail are not run in a person’s turn of an agent whose mail may do less, and its model is told why', async () => {
    const { session, log } = await start({ approval: 'guarded' });
    await session.prompt(owner('call relay_inbox {} && then say: mine'), { mode: 'next' });
    await says(log, 'mine');
    expect(relay.calls).toEqual([]);
    expect(log.ofType('tool.completed')).toMatchObject([
      { outcome: 'failed', output: expect.stringContaining('Your messages come to you by themselves') },
    ]);
    await session.prompt(mail('call relay_inbox {} && then say: theirs', 1), { mode: 'next' });
    await says(log, 'theirs');
    expect(relay.calls.map(({ tool }) => tool)).toEqual(['relay_inbox']);
  });

  test('outlive the server, and are there again where a stored conversation goes on', async () => {
    const { session, log } = await start();
    await session.prompt(owner('call relay_send {"to":"one"} && then say: first'), { mode: 'next' });
    await says(log, 'first');
    process.kill(processes[0]?.pid ?? 0, 'SIGKILL');
    await session.prompt(owner('call relay_send {"to":"two"} && then say: second'), { mode: 'next' });
    await says(log, 'second');
    const resume = session.vendorSessionId ?? '';
    await session.close();
    const again = await start({ resume });
    await again.session.prompt(owner('call agent-relay__relay_send {"to":"three"} && then say: third'), { mode: 'next' });
    await says(again.log, 'third');
    expect(relay.calls.map(({ input }) => input)).toEqual([{ to: 'one' }, { to: 'two' }, { to: 'three' }]);
  });

  test('are asked for by Codex itself where the session could not list them', async () => {
    relay.refused.add('agent_relay');
    const { session, log } = await start();
    await session.prompt(owner('call relay_send {"to":"Lead"} && then say: sent'), { mode: 'next' });
    await says(log, 'sent');
    expect(relay.calls).toEqual([{ authorization: secret, tool: 'relay_send', input: { to: 'Lead' } }]);
    expect(relay.clients).not.toContain('agent_relay');
  });

  describe('sub-agents', () => {
    const spawn = (message: string) => `call spawn_agent ${JSON.stringify({ message })} && then say: started it`;

    test('ask a person what they may not do by themselves, in the turn that started them', async () => {
      const { session, log } = await start({ ask: true });
      const cmd = { cmd: 'touch below.txt', sandbox_permissions: 'require_escalated', justification: 'It writes', yield_time_ms: 30_000 };
      await session.prompt(owner(spawn(`call exec_command ${JSON.stringify(cmd)} && then say: below`)), { mode: 'next' });
      const asked = await log.waitFor('approval.requested');
      const { turnId } = await log.waitFor('turn.started');
      expect(asked).toMatchObject({ turnId, kind: 'execute', input: { command: expect.stringContaining('touch below.txt') } });
      const call = log.ofType('tool.started').find(({ name }) => name === 'spawnAgent');
      expect(log.ofType('tool.started').find(({ itemId }) => itemId === asked.itemId)).toMatchObject({ parentItemId: call?.itemId });
      expect(existsSync(join(bench.home.workFolder, 'below.txt'))).toBe(false);
      expect(await session.resolveApproval?.(asked.approvalId, { outcome: 'allow', by: 'owner' })).toBe(true);
      await log.waitFor('vendor.event', ({ name, data }) => name === 'subAgent/turn' && JSON.stringify(data).includes('completed'));
      expect(existsSync(join(bench.home.workFolder, 'below.txt'))).toBe(true);
    });

    test.each([
      ['agentic', 'read-only'],
      ['unrestricted', 'guarded'],
    ] as const)('would lend mail the rights of a person: an %s session with %s mail has none', async (mode, approval) => {
      const { session, log } = await start({ mode, approval });
      await session.prompt(owner('say: mine'), { mode: 'next' });
      await says(log, 'mine');
      await session.prompt(mail('say: theirs', 1), { mode: 'next' });
      await says(log, 'theirs');
      const offered = bench.model.requests.flatMap(({ model }) =>
        model === undefined ? [] : [model.tools.map(({ fullName }) => fullName)],
      );
      expect(offered.length).toBeGreaterThanOrEqual(2);
      for (const names of offered) {
        expect(names).toContain('exec_command');
        // Codex has its model search for those of sub-agents, the only ones here that are not offered at once.
        expect(names.filter((name) => /tool_search|_agents?$|send_input|followup_task/u.test(name))).toEqual([]);
      }
    });

    test('end with their session', async () => {
      await start();
      const { session } = await start({ mode: 'unrestricted' });
      await session.prompt(owner(spawn('run command: echo $$ > below.pid; exec sleep 300')), { mode: 'next' });
      const pid = async () => Number(await readFile(join(bench.home.workFolder, 'below.pid'), 'utf8').catch(() => '0'));
      await expect.poll(pid).toBeGreaterThan(0);
      const command = await pid();
      await session.close();
      await expect.poll(() => isAlive(command)).toBe(false);
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
