import { EventLog } from 'agent-relay-provider/testing';
import { JsonRpcError } from 'agent-relay-wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexClient } from '../src/app-server/codex-client.ts';
import { CodexSession } from '../src/provider/codex-session.ts';
import { FakeAppServer } from './fake-app-server.ts';

const turnId = '01a1fd7c-0000-7000-8000-00000000000a';
const refuse = (message: string) => () => {
  throw new JsonRpcError({ code: -32600, message });
};
const prompt = (text: string) => ({ text, messageIds: [] });

/** A turn whose end does not come, or cannot be read, must not keep its agent busy for good. */
describe('a turn without an end', () => {
  let server: FakeAppServer;
  let client: CodexClient;
  let session: CodexSession;
  let log: EventLog;

  beforeEach(async () => {
    server = await FakeAppServer.start();
    let turns = 0;
    server.answer('turn/start', () => {
      turns += 1;
      return { turn: { id: turns === 1 ? turnId : `turn-${turns}` } };
    });
    client = await CodexClient.connect(server.endpoint, { clientInfo: { name: 'test', version: '1' }, turnEndGraceMs: 100 });
    session = new CodexSession({
      cwd: '/home/ada',
      mode: 'agentic',
      approval: 'open',
      ask: false,
      approvalTimeoutMs: undefined,
      relayServers: new Set(),
      isExperimental: true,
      silenceLimitMs: 60_000,
      runtime: 'a server of this test',
      findInEarlier: async () => undefined,
      release: () => client.close(),
    });
    session.begin(await client.startThread({ cwd: '/home/ada' }), '0.169.0');
    log = new EventLog(session);
    await session.prompt(prompt('go'), { mode: 'next' });
    server.notify('turn/started', { threadId: server.threadId, turn: { id: turnId, status: 'inProgress' } });
    await expect.poll(() => log.ofType('turn.started')).toHaveLength(1);
  });

  afterEach(async () => {
    await session.close();
    await server[Symbol.asyncDispose]();
  });

  const say = (method: string, params: object) => server.notify(method, { threadId: server.threadId, ...params });
  const starts = () => server.methods().filter((method) => method === 'turn/start').length;

  test.each(['idle', 'systemError', 'notLoaded'])('ends when Codex says that the thread is %s and nothing more', async (type) => {
    say('item/completed', { turnId, item: { type: 'agentMessage', id: 'm', text: 'done' } });
    say('thread/status/changed', { status: { type } });
    expect(await log.waitForTurnEnd()).toMatchObject({
      type: 'turn.failed',
      turnId,
      error: { code: 'turn_end_missing', retryable: false },
    });
    expect(log.ofType('session.status').at(-1)).toMatchObject({ status: 'idle' });
    await session.prompt(prompt('on'), { mode: 'next' });
    expect(starts()).toBe(2);
  });

  test('ends as its record says, where Codex has one', async () => {
    const recorded = { id: turnId, status: 'completed', items: [{ type: 'agentMessage', id: 'm', text: 'well done' }], durationMs: 7 };
    server.answer('thread/turns/list', () => ({ data: [null, recorded] }));
    say('thread/status/changed', { status: { type: 'idle' } });
    expect(await log.waitForTurnEnd()).toMatchObject({ type: 'turn.completed', outcome: 'finished', text: 'well done', durationMs: 7 });
  });

  test('is not ended by the idle that comes a moment before its end, nor twice', async () => {
    say('thread/status/changed', { status: { type: 'idle' } });
    say('turn/completed', { turn: { id: turnId, status: 'completed' } });
    expect(await log.waitForTurnEnd()).toMatchObject({ type: 'turn.completed', outcome: 'finished' });
    say('turn/completed', { turn: { id: turnId, status: 'failed' } });
    say('item/completed', { turnId, item: { type: 'agentMessage', id: 'late', text: 'late' } });
    await expect.poll(() => log.ofType('text.completed')).toHaveLength(1);
    expect(log.ofType('turn.failed')).toEqual([]);
  });

  test.each([{}, { turn: null }, { turn: { id: 7, status: 'completed' } }])('ends when its end cannot be read: %j', async (params) => {
    const held = session.prompt(prompt('held'), { mode: 'next' });
    say('turn/completed', params);
    expect(await log.waitForTurnEnd()).toMatchObject({ type: 'turn.failed', turnId, error: { code: 'turn_end_unreadable' } });
    await held;
    expect(starts()).toBe(2);
  });

  test.each([
    ['is not known to Codex', refuse('no active turn to interrupt')],
    ['is another one to Codex', refuse(`expected active turn id \`${turnId}\` but found \`x\``)],
    ['is in a thread that Codex let go', refuse('thread not found: x')],
    ['is stopped, and no end is told', () => ({})],
  ])('can be interrupted when it %s', async (_, answer) => {
    server.answer('turn/interrupt', answer);
    expect(await session.interrupt()).toBe(true);
    expect(await log.waitForTurnEnd()).toEqual({ type: 'turn.completed', turnId, outcome: 'interrupted' });
    await session.prompt(prompt('on'), { mode: 'next' });
    expect(starts()).toBe(2);
  });

  test('keeps running when Codex refuses the interrupt for another reason, and urgent mail gets in all the same', async () => {
    server.answer('turn/interrupt', refuse('internal'));
    await expect(session.interrupt()).rejects.toMatchObject({ code: 'provider_unavailable' });
    await session.prompt(prompt('urgent'), { mode: 'urgent' });
    expect(starts()).toBe(2);
    expect(log.ofType('turn.completed')).toEqual([]);
  });

  test('is not ended while Codex has stopped it and says that it still runs', async () => {
    server.answer('turn/interrupt', () => ({}));
    let asked = 0;
    server.answer('thread/turns/list', () => {
      asked += 1;
      return { data: asked < 3 ? [{ id: turnId, status: 'inProgress' }] : [] };
    });
    await session.interrupt();
    expect(asked).toBe(3);
    expect(await log.waitForTurnEnd()).toMatchObject({ type: 'turn.completed', outcome: 'interrupted' });
  });

  test('ends when a server that was away comes back and says that nothing runs', async () => {
    server.disconnect();
    expect(await log.waitForTurnEnd()).toMatchObject({ type: 'turn.failed', turnId, error: { code: 'turn_end_missing' } });
  });
});
