import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentSession, OwnedProcess, StartOptions } from 'agent-relay-provider';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexAppServer } from '../src/app-server/codex-app-server.ts';
import { CodexClient } from '../src/app-server/codex-client.ts';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { startFakeRelayTools } from './fake-relay-tools.ts';
import { type CodexBench, codexBench, wasModelSent } from './harness.ts';

const owner = (text: string) => ({ text, messageIds: [] });
const mail = (text: string, ...messageIds: number[]) => ({ text, messageIds });
const edit = (path: string) => `edit file: ${path} | text && then say: edited`;

describe('the Codex provider', () => {
  let bench: CodexBench;
  let provider: CodexProvider;
  let processes: OwnedProcess[];
  let logs: EventLog[];

  beforeEach(async () => {
    bench = await codexBench();
    provider = new CodexProvider({ command: bench.command });
    processes = [];
    logs = [];
  });

  afterEach(async () => {
    await provider.close();
    for (const log of logs) {
      await log.finished;
      expect(brokenEventRules(log.events)).toEqual([]);
    }
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
      mcp: [],
      env: bench.env,
      onProcess: (owned) => processes.push(owned),
      ...options,
    });
    const log = new EventLog(session);
    logs.push(log);
    return { session, log };
  };

  /** A model that asks to leave the sandbox, as the tool's description tells it. */
  const escalated = (cmd: string) =>
    `call exec_command ${JSON.stringify({ cmd, sandbox_permissions: 'require_escalated', justification: 'It writes', yield_time_ms: 30_000 })}`;
  const file = (name: string) => join(bench.home.workFolder, name);
  const says = (log: EventLog, text: string) => log.waitFor('text.completed', (event) => event.text.includes(text));

  describe('sharing a server', () => {
    test('many sessions are threads of one process, and each hears only itself', async () => {
      const sessions = await Promise.all(Array.from({ length: 12 }, () => start()));
      expect(processes).toEqual([expect.objectContaining({ purpose: 'codex app-server', shared: true, treeId: expect.any(String) })]);
      await Promise.all(sessions.map(({ session }, index) => session.prompt(mail(`say: I am ${index}.`, index + 1), { mode: 'next' })));
      for (const [index, { log }] of sessions.entries()) {
        await log.waitForTurnEnd();
        expect(log.ofType('text.completed').map(({ text }) => text)).toEqual([`I am ${index}.`]);
        expect(new Set(log.ofType('input.accepted').map(({ messageId }) => messageId))).toEqual(new Set([index + 1]));
      }
    });

    test('the server stays while one session is open and is gone after the last', async () => {
      const [first, second] = [await start(), await start()];
      const pid = processes[0]?.pid ?? 0;
      await first.session.close();
      await second.session.prompt(owner('say: still here'), { mode: 'next' });
      await says(second.log, 'still here');
      await second.session.close();
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    });

    test("commands know their own agent's environment and not another's", async () => {
      const print = 'run command: printf "mine=$AGENT_RELAY_TOKEN other=$ONLY_FIRST" && then say: done';
      const first = await start({ mode: 'unrestricted', env: { ...bench.env, AGENT_RELAY_TOKEN: 'first', ONLY_FIRST: 'secret' } });
      const second = await start({ mode: 'unrestricted', env: { ...bench.env, AGENT_RELAY_TOKEN: 'second' } });
      for (const { session, log } of [first, second]) {
        await session.prompt(owner(print), { mode: 'next' });
        await log.waitForTurnEnd();
      }
      expect(first.log.ofType('tool.completed')).toMatchObject([{ output: 'mine=first other=secret' }]);
      expect(second.log.ofType('tool.completed')).toMatchObject([{ output: 'mine=second other=' }]);
    });
  });

  describe('continuing a stored conversation', () => {
    test('a new session goes on where the other ended, with a folder, a mode and instructions of its own', async () => {
      const first = await start({ instructions: 'You are called First.' });
      await first.session.prompt(owner('say: the word is sesame'), { mode: 'next' });
      await says(first.log, 'sesame');
      const resume = first.session.vendorSessionId ?? '';
      await first.session.close();
      const cwd = await bench.home.makeFolder('elsewhere');
      const before = bench.model.requests.length;
      const second = await start({ resume, cwd, mode: 'unrestricted', instructions: 'You are called Second.' });
      expect(second.session.vendorSessionId).toBe(resume);
      await second.session.prompt(mail('edit file: here.txt | x && then say: edited', 1), { mode: 'next' });
      await says(second.log, 'edited');
      expect(existsSync(join(cwd, 'here.txt'))).toBe(true);
      const sent = JSON.stringify(bench.model.requests.slice(before).map(({ model }) => model));
      expect([sent.includes('the word is sesame'), sent.includes('You are called Second.')]).toEqual([true, true]);
      expect(second.log.ofType('text.completed').map(({ text }) => text)).toEqual(['edited']);
      expect(second.log.ofType('input.accepted').map(({ state }) => state)).toEqual(['delivered', 'seen']);
      await second.session.close();
      const third = await start({ resume, mode: 'safe' });
      await third.session.prompt(owner(edit('not-here.txt')), { mode: 'next' });
      await third.log.waitForTurnEnd();
      expect(existsSync(file('not-here.txt'))).toBe(false);
    });

    test('one that does not exist, or that another session is in, is refused in a sentence', async () => {
      const missing = '01a2282d-83f7-7c61-9fe5-27f8d85ad2a8';
      await expect(start({ resume: missing })).rejects.toMatchObject({
        code: 'not_found',
        message: `Codex has stored no conversation ${missing}`,
      });
      await expect(start({ resume: 'no id' })).rejects.toMatchObject({ code: 'validation_failed' });
      const { session, log } = await start();
      await session.prompt(owner('say: mine'), { mode: 'next' });
      await says(log, 'mine');
      const resume = session.vendorSessionId ?? '';
      const inUse = { code: 'provider_unavailable', message: `The Codex conversation ${resume} is in use by another session` };
      await expect(start({ resume })).rejects.toMatchObject(inUse);
      await using other = await CodexAppServer.start({ command: bench.command, env: bench.env });
      await using client = await CodexClient.connect(other.endpoint, { clientInfo: { name: 'test', version: '1' } });
      await session.close();
      const both = await Promise.allSettled([start({ resume }), start({ resume })]);
      expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      for (const started of both) if (started.status === 'fulfilled') await started.value.session.close();
      await client.resumeThread(resume);
      await expect(start({ resume })).rejects.toMatchObject(inUse);
    });
  });

  describe('what a session may do', () => {
    test("an agentic session in a git folder does not touch the user's settings", async () => {
      execFileSync('git', ['init', '-q'], { cwd: bench.home.workFolder });
      const settings = join(bench.home.codexHome, 'config.toml');
      const before = readFileSync(settings, 'utf8');
      const { session, log } = await start();
      await session.prompt(owner(edit('in-git.txt')), { mode: 'next' });
      await log.waitForTurnEnd();
      expect(existsSync(file('in-git.txt'))).toBe(true);
      expect(readFileSync(settings, 'utf8')).toBe(before);
    });

    test("a safe session is offered no shell and none of the user's servers, but the relay's tools", async () => {
      await using relay = await startFakeRelayTools();
      await using users = await startFakeRelayTools();
      await appendFile(join(bench.home.codexHome, 'config.toml'), `\n[mcp_servers.users]\nurl = "${users.url}"\n`);
      const { session, log } = await start({
        mode: 'safe',
        mcp: [{ name: 'agent-relay', url: relay.url, headers: { authorization: 'Bearer me' } }],
      });
      await session.prompt(owner('call relay_send {"to":"Lead"} && then say: sent'), { mode: 'next' });
      await says(log, 'sent');
      expect(relay.calls).toEqual([{ authorization: 'Bearer me', tool: 'relay_send', input: { to: 'Lead' } }]);
      expect(log.ofType('tool.started')).toMatchObject([{ name: 'relay_send', kind: 'message', input: { to: 'Lead' } }]);
      expect(log.ofType('tool.completed')).toMatchObject([{ outcome: 'succeeded', output: 'the relay answered' }]);
      const offered = new Set(bench.model.requests.flatMap(({ model }) => model?.tools.map(({ fullName }) => fullName) ?? []));
      expect([...offered].filter((name) => /exec|shell|write_stdin|web_search|mcp__users/u.test(name))).toEqual([]);
      expect(users.calls).toEqual([]);
    });

    test('a safe session has none of the servers of a project that its user trusts', async () => {
      await using theirs = await startFakeRelayTools();
      const { workFolder, codexHome } = bench.home;
      await mkdir(join(workFolder, '.git'));
      await mkdir(join(workFolder, '.codex'));
      await writeFile(
        join(workFolder, '.codex', 'config.toml'),
        `[mcp_servers.theirs]\nurl = "${theirs.url}"\ndefault_tools_approval_mode = "approve"\n`,
      );
      await appendFile(join(codexHome, 'config.toml'), `\n[projects.${JSON.stringify(workFolder)}]\ntrust_level = "trusted"\n`);
      const call = async (mode: StartOptions['mode']) => {
        const { session, log } = await start({ mode });
        await session.prompt(owner('call relay_inbox {} && then say: called'), { mode: 'next' });
        await log.waitForTurnEnd();
      };
      await call('agentic');
      expect(theirs.calls).toHaveLength(1);
      await call('safe');
      expect(theirs.calls).toHaveLength(1);
      bench.model.takeViolations();
    });

    test('two sessions call the relay each under its own name, and a call may wait', async () => {
      await using relay = await startFakeRelayTools();
      const mcp = (token: string) => [{ name: 'agent-relay', url: relay.url, headers: { authorization: token } }];
      const sessions = [await start({ mcp: mcp('one') }), await start({ mcp: mcp('two') })];
      for (const { session } of sessions)
        await session.prompt(owner('call relay_inbox {"waitMs":1500} && then say: heard'), { mode: 'next' });
      for (const { log } of sessions) await says(log, 'heard');
      expect(relay.calls.map(({ authorization }) => authorization).toSorted()).toEqual(['one', 'two']);
    });

    test('mail to an agent that only reads for its peers changes nothing; its owner may, before and after', async () => {
      const { session, log } = await start({ approval: 'read-only', mode: 'unrestricted' });
      for (const [index, input] of [owner(edit('one.txt')), mail(edit('two.txt'), 2), owner(edit('three.txt'))].entries()) {
        const after = log.events.length;
        await session.prompt(input, { mode: 'next' });
        await log.waitForTurnEnd(after);
        expect(log.ofType('turn.completed')).toHaveLength(index + 1);
      }
      expect(['one.txt', 'two.txt', 'three.txt'].map((name) => existsSync(file(name)))).toEqual([true, false, true]);
    });

    test('mail to a guarded agent is declined without asking where the mode forbids it, and that is seen', async () => {
      const { session, log } = await start({ approval: 'guarded' });
      await session.prompt(mail(edit('.git/config'), 1), { mode: 'next' });
      await log.waitForTurnEnd();
      expect(existsSync(file('.git/config'))).toBe(false);
      expect(log.ofType('approval.requested')).toMatchObject([{ kind: 'edit', title: `Edit ${file('.git/config')}`, options: [] }]);
      expect(log.ofType('approval.resolved')).toMatchObject([{ outcome: 'denied', by: 'policy' }]);
      expect(log.ofType('tool.completed')).toMatchObject([{ outcome: 'declined' }]);
    });

    test('a command of a guarded mail turn waits for a person, and runs outside the sandbox when allowed', async () => {
      const { session, log } = await start({ approval: 'guarded' });
      await session.prompt(mail(`${escalated(`touch ${file('ran.txt')}`)} && then say: done`, 1), { mode: 'next' });
      const asked = await log.waitFor('approval.requested');
      expect(asked).toMatchObject({ kind: 'execute', input: { command: expect.stringContaining(`touch ${file('ran.txt')}`) } });
      expect(asked.cwd).toBe(bench.home.workFolder);
      expect(existsSync(file('ran.txt'))).toBe(false);
      expect(await session.resolveApproval?.(asked.approvalId, { outcome: 'allow', by: 'owner' })).toBe(true);
      await says(log, 'done');
      expect(existsSync(file('ran.txt'))).toBe(true);
    });

    test("a person chooses among Codex's own answers: for the session, as a lasting rule, or the end of the turn", async () => {
      const { session, log } = await start({ approval: 'guarded' });
      const rules = join(bench.home.codexHome, 'rules', 'default.rules');
      /** What becomes of the turn that asks for this command; the answer, where somebody is asked. */
      const turn = async (command: string, optionId?: string) => {
        const after = log.events.length;
        await session.prompt(mail(`${escalated(command)} && then say: went on`, 1), { mode: 'next' });
        if (optionId !== undefined) {
          const { approvalId, options } = await log.waitFor('approval.requested', () => true, { after });
          expect(options.map(({ outcome }) => outcome)).toEqual(['allow', 'allow_session', 'deny', 'cancel', 'allow_always']);
          expect(await session.resolveApproval?.(approvalId, { optionId, by: 'owner' })).toBe(true);
        }
        return log.waitForTurnEnd(after);
      };
      const once = `touch ${file('once.txt')}`;
      await turn(once, 'allow-session');
      await turn(once);
      expect([log.ofType('approval.requested').length, existsSync(file('once.txt')), existsSync(rules)]).toEqual([1, true, false]);
      expect(await turn(`touch ${file('never.txt')}`, 'cancel')).toMatchObject({ outcome: 'interrupted' });
      expect(existsSync(file('never.txt'))).toBe(false);
      await turn(`touch ${file('always.txt')}`, 'allow-always');
      expect([existsSync(file('always.txt')), readFileSync(rules, 'utf8')]).toEqual([true, expect.stringContaining('touch')]);
      expect(log.ofType('approval.resolved').map(({ outcome, optionId }) => [outcome, optionId])).toEqual([
        ['allowed', 'allow-session'],
        ['denied', 'cancel'],
        ['allowed', 'allow-always'],
      ]);
    });

    test('the model of a guarded mail turn is told why a person said no, and goes on', async () => {
      const { session, log } = await start({ approval: 'guarded' });
      await session.prompt(mail(`${escalated(`touch ${file('ran.txt')}`)} && then say: noted`, 1), { mode: 'next' });
      const { approvalId } = await log.waitFor('approval.requested');
      await session.resolveApproval?.(approvalId, { outcome: 'deny', by: 'owner', message: 'Use a branch, please.' });
      await log.waitForTurnEnd();
      expect(log.ofType('tool.completed')).toMatchObject([{ outcome: 'declined' }]);
      expect([existsSync(file('ran.txt')), wasModelSent(bench.model, 'Use a branch, please.')]).toEqual([false, true]);
      expect(log.ofType('turn.started')).toHaveLength(1);
    });

    test('a command that does not ask stays in the read-only sandbox in a guarded mail turn', async () => {
      const { session, log } = await start({ approval: 'guarded', mode: 'unrestricted' });
      await session.prompt(mail(`run command: touch ${file('sneaked.txt')} && then say: tried`, 1), { mode: 'next' });
      await log.waitForTurnEnd();
      expect([existsSync(file('sneaked.txt')), log.ofType('approval.requested')]).toEqual([false, []]);
    });

    test("a tool that would hand out mail is not run in a person's turn of a guarded agent, and is in one of mail", async () => {
      await using relay = await startFakeRelayTools();
      const mcp = [{ name: 'agent-relay', url: relay.url, headers: { authorization: 'me' } }];
      const { session, log } = await start({ approval: 'guarded', mode: 'unrestricted', mcp });
      const words =
        'call relay_inbox {} && then call relay_send {"to":"B","waitForAnswerMs":1} && then call relay_send {"to":"C"} && then run command: touch mine.txt && then say: done';
      await session.prompt(owner(words), { mode: 'next' });
      await says(log, 'done');
      await log.waitForTurnEnd();
      expect(relay.calls.map(({ tool, input }) => [tool, input])).toEqual([['relay_send', { to: 'C' }]]);
      expect([existsSync(file('mine.txt')), log.ofType('approval.requested')]).toEqual([true, []]);
      expect(wasModelSent(bench.model, "this turn is a person's")).toBe(true);
      const after = log.events.length;
      await session.prompt(mail('call relay_inbox {} && then run command: touch theirs.txt && then say: read', 1), { mode: 'next' });
      await log.waitForTurnEnd(after);
      expect([relay.calls.at(-1)?.tool, existsSync(file('theirs.txt')), log.ofType('approval.requested')]).toEqual([
        'relay_inbox',
        false,
        [],
      ]);
    });

    test.each(['guarded', 'read-only'] as const)(
      'an `fyi` to a %s agent joins no turn of its owner: it gets one of its own',
      async (approval) => {
        const { session, log } = await start({ approval, mode: 'unrestricted' });
        await session.prompt(owner('run command: sleep 1 && then say: mine is done'), { mode: 'next' });
        await log.waitFor('tool.started');
        const delivered = session.prompt(mail('run command: touch sneaked.txt && then say: tried', 9), { mode: 'fyi' });
        await says(log, 'tried');
        await delivered;
        expect(log.ofType('turn.started')).toHaveLength(2);
        expect(log.ofType('turn.completed')[0]).toMatchObject({ text: 'mine is done' });
        expect(existsSync(file('sneaked.txt'))).toBe(false);
      },
    );

    test.each(['safe', 'unrestricted'] as const)('mail that names files puts none of them before the model (%s)', async (mode) => {
      const path = file('.private.md');
      writeFileSync(path, 'sesame 4711');
      const mentions = `@${path} @.private.md [$private](${path}) $private ![x](${path}) file://${path}`;
      const { session, log } = await start({ mode });
      await session.prompt(mail(`${mentions} say: read it`, 1), { mode: 'next' });
      await log.waitForTurnEnd();
      expect([wasModelSent(bench.model, mentions), wasModelSent(bench.model, 'sesame 4711')]).toEqual([true, false]);
    });

    test('restricted mail does not join a turn of the owner, however urgently it is meant to', async () => {
      const { session, log } = await start({ approval: 'read-only', mode: 'unrestricted' });
      await session.prompt(owner('run command: sleep 1 && then say: mine is done'), { mode: 'next' });
      await log.waitFor('tool.started');
      const delivered = session.prompt(mail(edit('sneaked.txt'), 9), { mode: 'now' });
      await says(log, 'mine is done');
      await delivered;
      await says(log, 'edited');
      expect(log.ofType('turn.started')).toHaveLength(2);
      expect(existsSync(file('sneaked.txt'))).toBe(false);
    });
  });

  describe('delivering', () => {
    test('several messages in one prompt are confirmed one by one', async () => {
      const { session, log } = await start();
      await session.prompt(mail('say: got both', 4, 5), { mode: 'next' });
      await log.waitForTurnEnd();
      expect(log.ofType('input.accepted').map(({ messageId, state, evidence }) => [messageId, state, evidence])).toEqual([
        [4, 'delivered', 'echo'],
        [5, 'delivered', 'echo'],
        [4, 'seen', 'turn'],
        [5, 'seen', 'turn'],
      ]);
      expect(log.ofType('user.message')).toMatchObject([{ messageIds: [4, 5] }]);
    });

    test('`now` lets the answer that is streaming be finished', async () => {
      const { session, log } = await start();
      await session.prompt(owner('slow 20 50'), { mode: 'next' });
      await log.waitFor('text.delta');
      await session.prompt(mail('say: heard you', 3), { mode: 'now' });
      await says(log, 'heard you');
      expect(log.ofType('text.completed')[0]?.text).toContain('word020');
      expect(log.ofType('turn.started')).toHaveLength(1);
    });

    test('what waits for the end of a turn comes in order, a turn each, with urgent mail ahead of it', async () => {
      const { session, log } = await start({ approval: 'read-only' });
      await session.prompt(owner('slow 400 50'), { mode: 'next' });
      await log.waitFor('text.delta');
      const waiting = [session.prompt(mail('say: first', 1), { mode: 'next' }), session.prompt(mail('say: second', 2), { mode: 'next' })];
      await session.prompt(mail('say: urgent', 3), { mode: 'urgent' });
      await Promise.all(waiting);
      await says(log, 'second');
      expect(log.ofType('text.completed').map(({ text }) => text)).toEqual(['urgent', 'first', 'second']);
      expect(log.ofType('turn.started')).toHaveLength(4);
    });

    test('the queue goes on after an interrupt', async () => {
      const { session, log } = await start();
      await session.prompt(owner('slow 400 50'), { mode: 'next' });
      await log.waitFor('text.delta');
      await session.prompt(mail('say: from the queue', 6), { mode: 'next' });
      expect(log.ofType('turn.started')).toHaveLength(1);
      expect(await session.interrupt()).toBe(true);
      await says(log, 'from the queue');
    });

    test('mail that an interrupt overtook is not claimed to be delivered', async () => {
      const { session, log } = await start({ mode: 'unrestricted' });
      await session.prompt(owner('run command: sleep 300'), { mode: 'next' });
      await log.waitFor('tool.started');
      await session.prompt(mail('say: too late', 8), { mode: 'now' });
      expect(await session.interrupt()).toBe(true);
      const after = log.events.length;
      await session.prompt(owner('say: next'), { mode: 'next' });
      await log.waitForTurnEnd(after);
      const states = log.ofType('input.accepted').map(({ state }) => state);
      expect(states).toEqual(wasModelSent(bench.model, 'say: too late') ? ['delivered', 'seen'] : []);
    });

    test('an interrupt ends the command of the turn', async () => {
      const { session, log } = await start({ mode: 'unrestricted' });
      await session.prompt(owner(`run command: sleep 1; touch ${file('outlived.txt')}; sleep 300`), { mode: 'next' });
      await log.waitFor('tool.started');
      await session.interrupt();
      expect(log.ofType('tool.completed')[0]).toMatchObject({ outcome: 'interrupted' });
      const after = log.events.length;
      await session.prompt(owner('run command: sleep 2 && then say: waited'), { mode: 'next' });
      await log.waitForTurnEnd(after);
      expect(existsSync(file('outlived.txt'))).toBe(false);
    });

    test('a failed turn says why, and the next one works', async () => {
      const { session, log } = await start();
      await session.prompt(mail('error 503 server_is_overloaded', 1), { mode: 'next' });
      await log.waitFor('turn.failed');
      expect(log.ofType('turn.failed')).toMatchObject([{ error: { code: 'model_overloaded', retryable: true } }]);
      expect(log.ofType('input.accepted').map(({ state }) => state)).toEqual(['delivered']);
      await session.prompt(owner('say: fine now'), { mode: 'next' });
      await says(log, 'fine now');
    });

    test('a model that says nothing is told of, while Codex goes on waiting', async () => {
      provider = new CodexProvider({ command: bench.command, silenceLimitMs: 300 });
      const { session, log } = await start();
      await session.prompt(mail('hang', 1), { mode: 'next' });
      expect(await log.waitFor('agent.error')).toMatchObject({ code: 'model_silent', willRetry: true });
      expect(log.ofType('input.accepted').map(({ state }) => state)).toEqual(['delivered']);
      expect(await session.interrupt()).toBe(true);
    });

    test('the instructions are standing ones, not part of a turn', async () => {
      const { session, log } = await start({ instructions: 'You are called Worker.' });
      await session.prompt(owner('say: yes'), { mode: 'next' });
      await says(log, 'yes');
      expect(bench.model.requests.some(({ model }) => model?.system.includes('You are called Worker.'))).toBe(true);
      expect(wasModelSent(bench.model, 'say: yes')).toBe(true);
      expect(log.ofType('user.message')).toMatchObject([{ text: 'say: yes' }]);
    });
  });
});
