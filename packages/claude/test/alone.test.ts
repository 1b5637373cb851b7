import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import { agentCliPaths, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LaunchClaudeOptions, launchClaude } from '../src/provider/launch-claude.ts';
import { allClaudeVersions } from './claude-versions.ts';

type CleanUps = (() => Promise<unknown>)[];
const cleanUp = async (kept: CleanUps) => {
  for (const end of kept.splice(0).reverse()) await end();
};

const cleanUps: CleanUps = [];
afterEach(() => cleanUp(cleanUps));

async function surroundings(kept: CleanUps = cleanUps) {
  const home = await tempHome();
  kept.push(() => home.remove());
  const model = await startFakeAnthropic({ model: wordScript() });
  kept.push(() => model.close());
  const wasModelSent = (text: string) => model.requests.some(({ body }) => JSON.stringify(body ?? null).includes(text));
  return { home, model, cwd: home.workFolder, env: { ...home.env(), ...model.env() }, wasModelSent };
}

async function launched(command: string, options: Partial<LaunchClaudeOptions> = {}, kept: CleanUps = cleanUps) {
  const around = await surroundings(kept);
  const session = await launchClaude({ command, cwd: around.cwd, env: around.env, ...options });
  kept.push(() => session.close());
  return { ...around, session, log: new EventLog(session), isWritten: (name: string) => existsSync(join(around.cwd, name)) };
}

describe.each(allClaudeVersions)('Claude Code %s without a relay', (_, command) => {
  // One session for all that one can show, in this order: a start takes most of the time.
  describe('in one session', () => {
    const kept: CleanUps = [];
    let running: Awaited<ReturnType<typeof launched>>;
    beforeAll(async () => {
      running = await launched(command, {}, kept);
    });
    afterAll(() => cleanUp(kept));

    /** What has been told since. */
    const since = (after: number) => running.log.events.slice(after);
    const isAtRest = () => expect.poll(() => running.log.ofType('session.status').at(-1)?.status).toBe('idle');

    test('is asked in a word, waits for a person, and goes on with the answer', async () => {
      const { session, log, isWritten } = running;
      await session.prompt('run command: touch a.txt && then say: done');
      const { approvalId, title } = await log.waitFor('approval.requested');
      expect(title).toBe('Bash: touch a.txt');
      expect([isWritten('a.txt'), log.ofType('session.status').at(-1)?.status]).toEqual([false, 'waiting']);
      expect(await session.resolveApproval(approvalId, { outcome: 'allow', by: 'me' })).toBe(true);
      expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished', text: 'done' });
      expect(isWritten('a.txt')).toBe(true);
      await expect
        .poll(() => log.ofType('session.status').map(({ status }) => status))
        .toEqual(['idle', 'busy', 'waiting', 'busy', 'idle']);
    });

    test('has its model and its permission mode set while it runs, and refuses a mode that is none', async () => {
      const { session, log, model, isWritten } = running;
      await session.setModel('claude-haiku-4-5');
      await session.setPermissionMode('acceptEdits');
      await expect(session.setPermissionMode('bogus' as never)).rejects.toMatchObject({
        code: 'validation_failed',
        issues: [expect.objectContaining({ path: 'mode' })],
      });
      const after = log.events.length;
      await session.prompt('edit file: b.txt | x && then say: written');
      expect(await log.waitForTurnEnd(after)).toMatchObject({ text: 'written' });
      expect([since(after).filter(({ type }) => type === 'approval.requested'), isWritten('b.txt')]).toEqual([[], true]);
      expect(model.requests.some(({ body }) => JSON.stringify(body ?? null).includes('"model":"claude-haiku-4-5'))).toBe(true);
    });

    test('is interrupted, and takes the next prompt', async () => {
      const { session, log } = running;
      await isAtRest();
      const before = log.events.length;
      await session.prompt('slow 200 100');
      await log.waitFor('text.delta', () => true, { after: before });
      expect(await session.interrupt()).toBe(true);
      expect(await log.waitForTurnEnd(before)).toMatchObject({ outcome: 'interrupted' });
      const after = log.events.length;
      await session.prompt('say: back again');
      expect(await log.waitForTurnEnd(after)).toMatchObject({ outcome: 'finished', text: 'back again' });
    });

    test('names the call that runs a sub-agent with each call of that one', async () => {
      const { session, log } = running;
      await isAtRest();
      const after = log.events.length;
      await session.prompt(
        'call Agent {"description":"looks","prompt":"run command: ls && then say: looked","subagent_type":"general-purpose"} && then say: sent',
      );
      const call = await log.waitFor('tool.started', ({ name }) => name === 'Agent', { after });
      const inner = await log.waitFor('tool.started', ({ name }) => name === 'Bash', { after });
      expect([call.parentItemId, inner.parentItemId]).toEqual([undefined, call.itemId]);
      await log.waitFor('text.completed', ({ text }) => text === 'sent', { after });
      await isAtRest();
    });

    test('begins a turn by itself when a task in the background ends, and says why', async () => {
      const { session, log } = running;
      const after = log.events.length;
      await session.prompt('call Bash {"command":"ls; sleep 1","run_in_background":true,"description":"counts"} && then say: started');
      const first = await log.waitFor('turn.started', () => true, { after });
      const second = await log.waitFor('turn.started', ({ turnId }) => turnId !== first.turnId, { after });
      expect([first.cause, second.cause]).toEqual([undefined, 'Background task "counts" completed']);
      await log.waitFor('turn.completed', ({ turnId }) => turnId === second.turnId, { after });
    });

    test('begins another conversation with /clear, tells its id, and goes on', async () => {
      const { session, log } = running;
      await isAtRest();
      const before = session.vendorSessionId;
      const started = log.ofType('session.started').length;
      await session.prompt('/clear');
      await expect.poll(() => log.ofType('session.started').length).toBe(started + 1);
      await session.prompt('say: remember the walrus');
      await log.waitFor('text.completed', ({ text }) => text === 'remember the walrus');
      expect([log.ofType('session.started').at(-1)?.vendorSessionId, session.vendorSessionId === before]).toEqual([
        session.vendorSessionId,
        false,
      ]);
    });

    test('ends with no rule of its events broken; its conversation is continued, and one that nobody knows is named in a sentence', async () => {
      const { session, log, cwd, env, wasModelSent, model } = running;
      await isAtRest();
      const { vendorSessionId } = session;
      await session.close();
      await log.finished;
      expect(brokenEventRules(log.events)).toEqual([]);
      const asked = model.requests.length;
      const again = await launchClaude({ command, cwd, env, resume: vendorSessionId ?? '' });
      cleanUps.push(() => again.close());
      const later = new EventLog(again);
      await again.prompt('say: yes');
      await later.waitForTurnEnd();
      expect([again.vendorSessionId, later.ofType('session.started').map((event) => event.vendorSessionId)]).toEqual([
        vendorSessionId,
        [vendorSessionId],
      ]);
      expect(JSON.stringify(model.requests.slice(asked).map(({ body }) => body))).toContain('remember the walrus');
      expect(wasModelSent('yes')).toBe(true);
      const unknown = launchClaude({ command, cwd, env, resume: '00000000-0000-4000-8000-000000000000' });
      await expect(unknown).rejects.toMatchObject({
        code: 'not_found',
        message: expect.stringContaining('no conversation 00000000-0000-4000-8000-000000000000'),
      });
    });
  });

  test('that is not logged in says so at the start, and how to', async () => {
    const { home, cwd, model } = await surroundings();
    const { ANTHROPIC_API_KEY: _key, ANTHROPIC_AUTH_TOKEN: _token, ...env } = { ...home.env(), ...model.env() };
    await expect(launchClaude({ command, cwd, env })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringMatching(/not logged in: run `claude auth login`/u),
    });
    expect(model.requests.filter(({ model: asked }) => asked)).toEqual([]);
    const session = await launchClaude({ command, cwd, env: { ...env, ANTHROPIC_CUSTOM_HEADERS: 'Authorization: Bearer x' } });
    cleanUps.push(() => session.close());
    const log = new EventLog(session);
    await session.prompt('say: by a gateway');
    expect(await log.waitForTurnEnd()).toMatchObject({ text: 'by a gateway' });
  });
});

describe('a rule for the session', () => {
  test('is the one that was shown: the second time nobody is asked, and no settings are written', async () => {
    const { session, log, isWritten } = await launched(agentCliPaths().claude);
    await session.prompt('run command: touch a.txt && then say: first');
    const { approvalId, options } = await log.waitFor('approval.requested');
    expect(options).toEqual([
      { id: 'allow', label: 'Allow once', outcome: 'allow' },
      { id: 'allow-session', label: expect.stringMatching(/^Allow Bash\(touch.*\) for this session$/u), outcome: 'allow_session' },
      { id: 'deny', label: 'Deny', outcome: 'deny' },
    ]);
    await session.resolveApproval(approvalId, { outcome: 'allow', forSession: true, by: 'me' });
    await log.waitForTurnEnd();
    const after = log.events.length;
    await session.prompt('run command: touch a.txt && then say: second');
    expect(await log.waitForTurnEnd(after)).toMatchObject({ text: 'second' });
    expect(log.ofType('approval.requested')).toHaveLength(1);
    expect([isWritten('a.txt'), isWritten('.claude/settings.local.json')]).toEqual([true, false]);
  });
});
