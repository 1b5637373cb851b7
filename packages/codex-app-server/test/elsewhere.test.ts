import type { AgentSession, StartOptions } from 'agent-relay-provider';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexAppServer } from '../src/app-server/codex-app-server.ts';
import { CodexClient } from '../src/app-server/codex-client.ts';
import type { CodexThread } from '../src/app-server/codex-thread.ts';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { type CodexBench, codexBench, codexVersions, wasModelSent } from './harness.ts';

const clientInfo = { name: 'test', version: '1' };
const mail = (text: string, ...messageIds: number[]) => ({ text, messageIds });

// One version: the other program looks into the queue every ten seconds.
describe.each(codexVersions.slice(-1))('a conversation that another Codex %s has taken', (_version, command) => {
  let bench: CodexBench;
  let ours: CodexAppServer;
  let theirs: CodexAppServer;
  let person: CodexClient;
  let provider: CodexProvider;
  let logs: EventLog[];

  beforeEach(async () => {
    bench = await codexBench(command);
    [ours, theirs] = await Promise.all(
      [1, 2].map(() => CodexAppServer.start({ command, env: bench.env })) as [Promise<CodexAppServer>, Promise<CodexAppServer>],
    );
    person = await CodexClient.connect(theirs.endpoint, { clientInfo });
    provider = new CodexProvider({ command, endpoint: ours.endpoint, elsewherePollMs: 200 });
    logs = [];
  });

  afterEach(async () => {
    await provider.close();
    await person.close();
    await Promise.all([ours, theirs].map((server) => server.close()));
    for (const log of logs) {
      await log.finished;
      expect(brokenEventRules(log.events)).toEqual([]);
    }
    await bench[Symbol.asyncDispose]();
  });

  const start = async (options: Partial<StartOptions> = {}) => {
    const session = await provider.start({
      agentId: 'agent',
      sessionId: 'session',
      cwd: bench.home.workFolder,
      mode: 'unrestricted',
      approval: 'open',
      instructions: '',
      mcp: [],
      env: bench.env,
      onProcess: () => {},
      ...options,
    });
    const log = new EventLog(session);
    logs.push(log);
    await session.prompt(mail('say: here', 1), { mode: 'next' });
    await log.waitForTurnEnd();
    return { session, log };
  };

  /** As when our server has let it go, and a person resumes it in a terminal. */
  const taken = async ({ vendorSessionId }: AgentSession): Promise<CodexThread> => {
    const threadId = vendorSessionId ?? '';
    const client = await CodexClient.connect(ours.endpoint, { clientInfo });
    for (const method of ['thread/archive', 'thread/unarchive']) await client.request(method, { threadId });
    await client.close();
    // It is released a moment after the answer.
    let thread: CodexThread | undefined;
    await expect
      .poll(async () => {
        thread ??= await person.resumeThread(threadId).catch(() => undefined);
        return thread;
      })
      .toBeDefined();
    if (!thread) throw new Error('polled for');
    return thread;
  };
  const receipts = (log: EventLog, messageId: number) =>
    log.ofType('input.accepted').flatMap((event) => (event.messageId === messageId ? [`${event.state}: ${event.evidence}`] : []));

  test('gets its mail through the queue, once and in order, and the receipts wait for the echo', async () => {
    const { session, log } = await start();
    const thread = await taken(session);
    await thread.startTurn({ text: 'slow 60 50', clientUserMessageId: 'typed-by-a-person' });
    for (const [index, word] of ['one', 'two', 'three'].entries())
      await session.prompt(mail(`say: ${word}`, 10 + index), { mode: index === 1 ? 'now' : 'next' });
    expect(await log.waitFor('session.status', ({ status }) => status === 'waiting')).toMatchObject({
      detail: expect.stringMatching(/^attached elsewhere/u),
    });
    expect([10, 11, 12].flatMap((id) => receipts(log, id))).toEqual([]);
    await log.waitFor('text.completed', ({ text }) => text === 'three', { timeoutMs: 60_000 });
    expect(log.ofType('text.completed').flatMap(({ text }) => (/^(?:one|two|three)$/u.test(text) ? [text] : []))).toEqual([
      'one',
      'two',
      'three',
    ]);
    await expect.poll(() => receipts(log, 12)).toEqual(['delivered: echo', 'seen: turn']);
  });

  test('is taken back once it is free, and what nobody took from the queue is said here', async () => {
    const { session, log } = await start();
    await taken(session);
    await session.prompt(mail('run command: touch mine && then say: mine', 20), { mode: 'next' });
    await log.waitFor('session.status', ({ status }) => status === 'waiting');
    await person.close();
    await theirs.close();
    await log.waitFor('text.completed', ({ text }) => text === 'mine', { timeoutMs: 60_000 });
    await expect.poll(() => receipts(log, 20)).toEqual(['delivered: echo', 'seen: turn']);
    expect(log.ofType('text.completed').filter(({ text }) => text === 'mine')).toHaveLength(1);
  });

  test('does not get the mail of a session where it may do less than a person: that waits here', async () => {
    const { session, log } = await start({ mode: 'agentic', approval: 'guarded' });
    const thread = await taken(session);
    const sent = session.prompt(mail('say: guarded', 30), { mode: 'next' });
    await log.waitFor('session.status', ({ status }) => status === 'waiting');
    await expect.poll(() => thread.listItems()).not.toEqual([]);
    await person.close();
    expect(wasModelSent(bench.model, 'say: guarded')).toBe(false);
    await theirs.close();
    await sent;
    await log.waitFor('text.completed', ({ text }) => text === 'guarded', { timeoutMs: 60_000 });
  });
});
