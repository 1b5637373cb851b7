import { CodexClient } from 'agent-relay-codex-app-server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeAppServer } from '../../codex-app-server/test/fake-app-server.ts';
import { LiveThreads } from '../src/relay/live-threads.ts';

const turnId = '01a1fd7c-0000-7000-8000-00000000000b';

let codex: FakeAppServer;
let client: CodexClient;
let busy: boolean[];
let threads: LiveThreads;

beforeEach(async () => {
  codex = await FakeAppServer.start();
  const { threadId } = codex;
  codex.answer('thread/loaded/list', () => ({ data: [threadId] }));
  codex.answer('thread/read', ({ threadId: id }) => ({ thread: { id } }));
  client = await CodexClient.connect(codex.endpoint, { clientInfo: { name: 'test', version: '1' } });
  busy = [];
  const nothing = async () => {};
  threads = new LiveThreads({
    client,
    recovery: () => ({ unconfirmed: () => new Set(), forgotten: () => {}, resumed: () => {} }),
    onThread: nothing,
    onCompacted: nothing,
    onBusy: (isBusy) => busy.push(isBusy),
    onEcho: () => {},
    onTurnEnd: () => {},
    onError: () => {},
  });
  await expect.poll(() => threads.joined?.id).toBe(threadId);
});

afterEach(async () => {
  threads.close();
  await client.close();
  await codex[Symbol.asyncDispose]();
});

const active = () => codex.notify('thread/status/changed', { threadId: codex.threadId, status: { type: 'active', activeFlags: [] } });
const turn = (method: string, status: string, id = turnId) =>
  codex.notify(method, { threadId: codex.threadId, turn: { id, status, items: [] } });

test('a turn’s end is the end of what runs, where the server’s word of the whole conversation is missed', async () => {
  active();
  turn('turn/started', 'inProgress');
  await expect.poll(() => threads.isBusy).toBe(true);
  threads.settle();
  expect(threads.isBusy).toBe(true);
  turn('turn/completed', 'completed');
  await expect.poll(() => threads.isBusy).toBe(false);
  expect(busy).toEqual([false, true, false]);
  active();
  await expect.poll(() => threads.isBusy).toBe(true);
  threads.settle();
  expect(threads.isBusy).toBe(false);
});

test('the end of one turn is not that of the next, and a turn that is expected no more ends none that runs', async () => {
  const next = '01a1fd7c-0000-7000-8000-00000000000c';
  active();
  turn('turn/started', 'inProgress');
  turn('turn/started', 'inProgress', next);
  turn('turn/completed', 'completed');
  await expect.poll(() => threads.joined?.activeTurnId).toBe(next);
  threads.expectTurn(codex.threadId, true);
  threads.expectTurn(codex.threadId, false);
  expect(threads.isBusy).toBe(true);
  turn('turn/completed', 'completed', next);
  await expect.poll(() => threads.isBusy).toBe(false);
  threads.expectTurn(codex.threadId, true);
  threads.expectTurn(codex.threadId, false);
  expect(threads.isBusy).toBe(false);
});

test('a conversation that mail goes into now says how it stands, and not the one before it', async () => {
  active();
  await expect.poll(() => threads.isBusy).toBe(true);
  const { threadId } = codex;
  codex.notify('thread/started', { thread: { id: threadId.replace(/1$/u, '2') } });
  await expect.poll(() => busy).toEqual([false, true, false]);
});
