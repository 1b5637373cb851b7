import { renameSync } from 'node:fs';
import type { AgentSession, OwnedProcess, StartOptions } from 'agent-relay-provider';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import { sleep } from 'agent-relay-wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexProvider, type CodexProviderOptions } from '../src/provider/codex-provider.ts';
import { type CodexBench, codexBench, codexVersions, wasModelSent } from './harness.ts';

const owner = (text: string) => ({ text, messageIds: [] });
const mail = (text: string, ...messageIds: number[]) => ({ text, messageIds });

interface Agent {
  readonly session: AgentSession;
  readonly log: EventLog;
}

describe.each(codexVersions)('an app-server of Codex %s that is killed', { timeout: 480_000 }, (_, command) => {
  let bench: CodexBench;
  let provider: CodexProvider;
  let processes: OwnedProcess[];
  let agents: Agent[];

  beforeEach(async () => {
    bench = await codexBench(command);
    processes = [];
    agents = [];
    provide();
  });

  afterEach(async () => {
    await provider.close();
    for (const { log } of agents) {
      await log.finished;
      expect(brokenEventRules(log.events)).toEqual([]);
    }
    await bench[Symbol.asyncDispose]();
  });

  const provide = (options: CodexProviderOptions = {}) => {
    provider = new CodexProvider({ command: bench.command, ...options });
  };

  const start = async (options: Partial<StartOptions> = {}): Promise<Agent> => {
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
    const agent = { session, log: new EventLog(session) };
    agents.push(agent);
    return agent;
  };

  const kill = () => process.kill(processes.at(-1)?.pid ?? 0, 'SIGKILL');
  const texts = ({ log }: Agent) => log.ofType('text.completed').map(({ text }) => text);
  const receipts = ({ log }: Agent, messageId: number) =>
    log.ofType('input.accepted').flatMap((event) => (event.messageId === messageId ? [event.state] : []));
  const says = ({ log }: Agent, text: string) =>
    log.waitFor('text.completed', (event) => event.text.includes(text), { timeoutMs: 180_000 });
  const crashes = ({ log }: Agent) => log.ofType('turn.failed').map(({ error }) => error.code);

  test('costs none of its fifty agents more than the running turn, and their mail comes once and in order', async () => {
    const fifty = await Promise.all(Array.from({ length: 50 }, () => start()));
    await Promise.all(
      fifty.map(async (agent, index) => {
        await agent.session.prompt(mail('slow 2000 500', 1000 + index), { mode: 'next' });
        await agent.log.waitFor('text.delta');
      }),
    );
    const waiting = [1, 2, 3].map((step) =>
      Promise.all(
        fifty.map(({ session }, index) => session.prompt(mail(`say: ${step} of ${index}`, step * 100 + index), { mode: 'next' })),
      ),
    );
    await Promise.all(waiting);
    kill();
    await Promise.all(fifty.map((agent, index) => says(agent, `3 of ${index}`)));
    for (const [index, agent] of fifty.entries()) {
      await agent.log.until(() => receipts(agent, 300 + index).includes('seen'), 'the last receipt');
      expect(crashes(agent)).toEqual(['agent_crashed']);
      expect(texts(agent)).toEqual([1, 2, 3].map((step) => `${step} of ${index}`));
      expect([1, 2, 3].map((step) => receipts(agent, step * 100 + index))).toEqual(Array(3).fill(['delivered', 'seen']));
      expect(agent.log.ofType('session.started')).toHaveLength(1);
    }
    expect(processes).toHaveLength(2);
  });

  test.each([0, 3, 10, 30])('loses and repeats nothing of the mail that was on its way %i ms before', async (beforeMs) => {
    const agent = await start();
    await agent.session.prompt(owner('say: ready'), { mode: 'next' });
    await agent.log.waitForTurnEnd();
    const sent = Array.from({ length: 8 }, (_, index) => agent.session.prompt(mail(`say: letter ${index}`, index + 1), { mode: 'next' }));
    await sleep(beforeMs);
    kill();
    await Promise.all(sent);
    await says(agent, 'letter 7');
    const delivered = agent.log.ofType('input.accepted').flatMap((event) => (event.state === 'delivered' ? [event.messageId] : []));
    expect(delivered).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const messages = agent.log.ofType('user.message').flatMap(({ messageIds = [] }) => messageIds);
    expect(messages).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('says each message of a long queue once, and in its order', async () => {
    const agent = await start();
    await agent.session.prompt(owner('slow 400 50'), { mode: 'next' });
    await agent.log.waitFor('text.delta');
    const letters = Array.from({ length: 40 }, (_, index) => `letter ${index + 1} of 40`);
    for (const [index, letter] of letters.entries()) await agent.session.prompt(mail(`say: ${letter}`, index + 1), { mode: 'next' });
    kill();
    await says(agent, 'letter 40');
    await agent.log.until(() => receipts(agent, 40).includes('seen'), 'the last receipt');
    expect(texts(agent)).toEqual(letters);
    expect(agent.log.ofType('user.message').flatMap(({ messageIds = [] }) => messageIds)).toEqual(letters.map((_, index) => index + 1));
  });

  test('mail that may do less than its owner keeps its place and its sandbox', async () => {
    const agent = await start({ approval: 'read-only', mode: 'unrestricted' });
    await agent.session.prompt(owner('slow 400 50'), { mode: 'next' });
    await agent.log.waitFor('text.delta');
    const waiting = ['edit file: theirs.txt | x && then say: first', 'say: second'].map((text, index) =>
      agent.session.prompt(mail(text, index + 1), { mode: 'next' }),
    );
    kill();
    await Promise.all(waiting);
    await says(agent, 'second');
    expect(texts(agent)).toEqual(['first', 'second']);
    expect(agent.log.ofType('file.changed')).toEqual([]);
    bench.model.takeViolations();
  });

  test('a queued prompt has the rights of its own session afterwards, not those that its thread was opened with', async () => {
    const agent = await start();
    await agent.session.prompt(owner('slow 400 50'), { mode: 'next' });
    await agent.log.waitFor('text.delta');
    await agent.session.prompt(mail('edit file: mine.txt | x && then say: written', 1), { mode: 'next' });
    kill();
    await says(agent, 'written');
    expect(agent.log.ofType('file.changed')).toHaveLength(1);
  });

  test('cancels the questions that were open, and says so', async () => {
    const agent = await start({ approval: 'guarded' });
    const call = JSON.stringify({ cmd: 'touch x', sandbox_permissions: 'require_escalated', justification: 'It writes' });
    await agent.session.prompt(mail(`call exec_command ${call} && then say: done`, 1), { mode: 'next' });
    const { approvalId } = await agent.log.waitFor('approval.requested');
    kill();
    await agent.log.waitFor('turn.failed');
    expect(agent.log.ofType('approval.resolved')).toMatchObject([{ approvalId, outcome: 'cancelled', by: 'session' }]);
    expect(await agent.session.resolveApproval?.(approvalId, { outcome: 'allow', by: 'owner' })).toBe(false);
    await agent.session.prompt(owner('say: what now'), { mode: 'next' });
    await says(agent, 'what now');
    expect([agent.log.ofType('approval.requested').length, crashes(agent)]).toEqual([1, ['agent_crashed']]);
  });

  test('remembers what was said before, and what was added without a turn', async () => {
    const agent = await start({ instructions: 'You are called Worker.' });
    await agent.session.prompt(owner('say: the word is sesame'), { mode: 'next' });
    await agent.log.waitForTurnEnd();
    await agent.session.prompt(mail('The door is green.', 4), { mode: 'fyi' });
    kill();
    const before = bench.model.requests.length;
    await agent.session.prompt(owner('say: open'), { mode: 'next' });
    await says(agent, 'open');
    const afterwards = JSON.stringify(bench.model.requests.slice(before).map(({ model }) => model));
    expect(['the word is sesame', 'The door is green.', 'You are called Worker.'].map((text) => afterwards.includes(text))).toEqual([
      true,
      true,
      true,
    ]);
    await agent.log.until(() => receipts(agent, 4).includes('seen'), 'the receipt');
  });

  test('gives an agent that has had no turn another thread, and says which', async () => {
    const agent = await start();
    const before = agent.session.vendorSessionId;
    kill();
    await agent.session.prompt(mail('say: my first', 1), { mode: 'next' });
    await says(agent, 'my first');
    const ids = agent.log.ofType('session.started').map(({ vendorSessionId }) => vendorSessionId);
    expect(ids).toEqual([before, agent.session.vendorSessionId]);
    expect(new Set(ids).size).toBe(2);
    expect(wasModelSent(bench.model, 'my first')).toBe(true);
  });

  test('loses no agent that is being started', async () => {
    await start();
    const starting = Array.from({ length: 10 }, () => start());
    await sleep(20);
    kill();
    const started = await Promise.all(starting);
    await Promise.all(started.map(({ session }, index) => session.prompt(mail(`say: ${index} is here`, index + 1), { mode: 'next' })));
    await Promise.all(started.map((agent, index) => says(agent, `${index} is here`)));
    expect(processes).toHaveLength(2);
  });

  test('and cannot be started again ends its sessions with the words of the last try', async () => {
    provide({ deathLimit: { deaths: 3, withinMs: 60_000 } });
    const agent = await start();
    kill();
    // At once: a Codex that lives makes the folder anew.
    renameSync(bench.home.codexHome, `${bench.home.codexHome}-gone`);
    await agent.log.finished;
    expect(agent.log.events.at(-1)).toMatchObject({ reason: 'crashed', detail: expect.stringMatching(/did not start.*CODEX_HOME/su) });
    expect(processes).toHaveLength(3);
  });

  test('too often is not started again: its sessions end with the reason, and the next start gets a new one', async () => {
    provide({ deathLimit: { deaths: 2, withinMs: 60_000 } });
    const [first, second] = [await start(), await start()];
    await first.session.prompt(owner('slow 400 50'), { mode: 'next' });
    await first.log.waitFor('text.delta');
    kill();
    await first.log.waitFor('turn.failed');
    await expect.poll(() => processes.length).toBe(2);
    kill();
    await Promise.all([first.log.finished, second.log.finished]);
    expect(second.log.events.at(-1)).toMatchObject({
      type: 'session.ended',
      reason: 'crashed',
      detail: expect.stringContaining('SIGKILL'),
    });
    expect(crashes(first)).toEqual(['agent_crashed']);
    await expect(second.session.prompt(owner('anyone?'), { mode: 'next' })).rejects.toMatchObject({ code: 'connection_closed' });
    const third = await start();
    await third.session.prompt(owner('say: back again'), { mode: 'next' });
    await says(third, 'back again');
    expect(processes).toHaveLength(3);
  });
});
