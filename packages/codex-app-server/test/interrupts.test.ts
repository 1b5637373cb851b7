import { JsonRpcError } from 'agent-relay-wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CodexClient } from '../src/app-server/codex-client.ts';
import type { CodexThread } from '../src/app-server/codex-thread.ts';
import { FakeAppServer } from './fake-app-server.ts';

const [first, second] = ['01a1fd7c-0000-7000-8000-00000000000a', '01a1fd7c-0000-7000-8000-00000000000b'] as const;
const refuse = (message: string) => () => {
  throw new JsonRpcError({ code: -32600, message });
};

let server: FakeAppServer;
let client: CodexClient;
let thread: CodexThread;
let told: string[];

beforeEach(async () => {
  server = await FakeAppServer.start();
  client = await CodexClient.connect(server.endpoint, { clientInfo: { name: 'test', version: '1' }, turnEndGraceMs: 100 });
  thread = await client.startThread({ cwd: '/home/ada' });
  told = follow(thread);
});

afterEach(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
});

function follow(followed: CodexThread): string[] {
  const heard: string[] = [];
  void (async () => {
    for await (const { method, params } of followed.notifications) {
      const { turn } = params as { turn: { id: string; status: string } }; // as this test says it
      heard.push(`${method} ${turn.id === first ? 'first' : 'second'} ${turn.status}`);
    }
  })();
  return heard;
}

const start = (id: string) => {
  server.answer('turn/start', () => ({ turn: { id } }));
  return thread.startTurn({ text: 'go', clientUserMessageId: id });
};
const say = (method: 'turn/started' | 'turn/completed', id: string, status: string) =>
  server.notify(method, { threadId: server.threadId, turn: { id, status, items: [] } });
const interrupts = () => server.received.filter(({ method }) => method === 'turn/interrupt').map(({ params }) => params['turnId']);

test.each(['no active turn to interrupt', `expected active turn id \`${first}\` but found \`x\``])(
  'that comes before the turn has begun stops it once it has: %s',
  async (message) => {
    server.answer('turn/interrupt', refuse(message));
    await start(first);
    const stopping = thread.interrupt();
    await expect.poll(interrupts).toHaveLength(1);
    server.answer('turn/interrupt', () => {
      say('turn/completed', first, 'interrupted');
      return {};
    });
    say('turn/started', first, 'inProgress');
    expect(await stopping).toBe(true);
    await expect.poll(() => told).toEqual(['turn/started first inProgress', 'turn/completed first interrupted']);
    expect([interrupts(), thread.activeTurnId]).toEqual([[first, first], undefined]);
  },
);

test('that comes before the turn has begun is not needed where the turn ends by itself', async () => {
  server.answer('turn/interrupt', refuse('no active turn to interrupt'));
  await start(first);
  const stopping = thread.interrupt();
  await expect.poll(interrupts).toHaveLength(1);
  say('turn/completed', first, 'completed');
  expect(await stopping).toBe(false);
  expect([interrupts(), thread.activeTurnId]).toEqual([[first], undefined]);
});

test('a turn that was told to be over, and begins after all, ends when Codex says so', async () => {
  server.answer('turn/interrupt', refuse('thread not found: x'));
  await start(first);
  expect(await thread.interrupt()).toBe(true);
  expect(thread.activeTurnId).toBeUndefined();
  say('turn/started', first, 'inProgress');
  await expect.poll(() => thread.activeTurnId).toBe(first);
  say('turn/completed', first, 'completed');
  await expect.poll(() => thread.activeTurnId).toBeUndefined();
  expect(told).toEqual(['turn/completed first interrupted', 'turn/started first inProgress', 'turn/completed first completed']);
});

test('a turn that Codex has answered is the running one, also before the end of the one before is told', async () => {
  await start(first);
  say('turn/started', first, 'inProgress');
  await expect.poll(() => told).toHaveLength(1);
  await start(second);
  say('turn/completed', first, 'completed');
  await expect.poll(() => told).toHaveLength(2);
  expect(thread.activeTurnId).toBe(second);
  server.answer('turn/interrupt', () => ({}));
  expect(await thread.interrupt()).toBe(true);
  expect(interrupts()).toEqual([second]);
  say('turn/started', second, 'inProgress');
  say('turn/completed', second, 'interrupted');
  await expect
    .poll(() => told.slice(1))
    .toEqual(['turn/completed first completed', 'turn/started second inProgress', 'turn/completed second interrupted']);
});

test('a turn that runs when its thread is joined can be stopped', async () => {
  client.forgetThread(thread.id);
  server.answer('thread/resume', () => ({ thread: { id: server.threadId, status: { type: 'active', activeFlags: [] } } }));
  server.answer('thread/turns/list', () => ({
    data: [
      { id: second, status: 'inProgress' },
      { id: first, status: 'completed' },
    ],
  }));
  thread = await client.resumeThread(server.threadId);
  expect(thread.activeTurnId).toBe(second);
  server.answer('turn/interrupt', () => ({}));
  expect(await thread.interrupt()).toBe(true);
  expect(interrupts()).toEqual([second]);
});
