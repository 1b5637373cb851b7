import { randomUUID } from 'node:crypto';
import { EventLog } from 'agent-relay-provider/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { FakeAppServer } from './fake-app-server.ts';

const promptId = randomUUID();
const mail = { text: '[msg:7] from Ada: hello', messageIds: [7] };
const isRepeat = { mode: 'next', promptId, isRepeat: true } as const;

let server: FakeAppServer;
let provider: CodexProvider;

beforeEach(async () => {
  server = await FakeAppServer.start({ 'thread/inject_items': () => ({}) });
  provider = new CodexProvider({ endpoint: server.endpoint });
});
afterEach(async () => {
  await provider.close();
  await server[Symbol.asyncDispose]();
});

async function goOn() {
  const session = await provider.start({
    ...{ agentId: 'agent', sessionId: 'session', cwd: '/home/user/project', mode: 'agentic', approval: 'open', instructions: '' },
    ...{ mcp: [], env: {}, onProcess: () => {}, resume: server.threadId },
  });
  return { session, log: new EventLog(session) };
}

/** What the conversation holds, newest first, so many to a page. */
function stored(items: readonly { readonly turnId: string; readonly item: object }[], pageSize = 100): void {
  server.answer('thread/items/list', ({ cursor }) => {
    const from = Number(cursor ?? 0);
    const end = from + pageSize;
    return { data: items.slice(from, end), nextCursor: end < items.length ? String(end) : null };
  });
}
const said = (turnId: string, clientId = `relay-${promptId}`) => ({
  turnId,
  item: { type: 'userMessage', id: `said-${clientId}`, clientId, content: [{ type: 'text', text: mail.text }] },
});
const answered = (turnId: string, id = 'a') => ({ turnId, item: { type: 'agentMessage', id, text: 'hi' } });
const turns = () => server.received.flatMap(({ method, params }) => (method === 'turn/start' ? [params['clientUserMessageId']] : []));
const receipts = (log: EventLog) => log.ofType('input.accepted').map(({ messageId, state, evidence }) => [messageId, state, evidence]);

test.each([
  ['and was answered', [answered('t1'), said('t1')], ['delivered', 'seen']],
  ['and was not answered when its server was killed', [answered('t2'), said('t2', 'somebody-else'), said('t1')], ['delivered']],
  [
    'long ago',
    [...Array.from({ length: 250 }, (_, index) => answered('t2', `a${index}`)), answered('t1'), said('t1')],
    ['delivered', 'seen'],
  ],
])('mail that came into the conversation before its session was killed, %s, does not go again, and is told', async (_, items, states) => {
  stored(items);
  const { session, log } = await goOn();
  await session.prompt(mail, isRepeat);
  await log.until(() => receipts(log).length === states.length, 'the receipts');
  expect(log.ofType('user.message')).toMatchObject([{ turnId: 't1', messageIds: [7] }]);
  expect(receipts(log).map(([id, state]) => [id, state])).toEqual(states.map((state) => [7, state]));
  expect(turns()).toEqual([]);
});

test('mail that did not goes again under its own id, by which the next session knows it, and what was never handed over is not looked for', async () => {
  const { session } = await goOn();
  await session.prompt(mail, isRepeat);
  expect(turns()).toEqual([`relay-${promptId}`]);
  const lookedFor = server.methods().filter((method) => method === 'thread/items/list').length;
  const next = randomUUID();
  await session.prompt({ ...mail, messageIds: [8] }, { mode: 'now', promptId: next });
  expect(turns()).toEqual([`relay-${promptId}`, `relay-${next}`]);
  expect(server.methods().filter((method) => method === 'thread/items/list')).toHaveLength(lookedFor);
});

test('what a killed session left in Codex’s queue is taken out before the conversation is loaded and would run it; what else waits there stays', async () => {
  const waiting = new Map([
    ['q1', `relay-${promptId}`],
    ['q2', randomUUID()],
    ['q3', `relay-own-${randomUUID()}`],
    ['q4', `relay-${randomUUID()}`],
  ]);
  let leftWhenLoaded: readonly string[] = [];
  server.answer('thread/queue/list', () => ({
    data: [...waiting].map(([id, clientUserMessageId]) => ({ id, clientUserMessageId })),
    nextCursor: null,
  }));
  server.answer('thread/queue/delete', ({ queuedSubmissionId }) => {
    return { deleted: waiting.delete(String(queuedSubmissionId)) };
  });
  server.answer('thread/resume', () => {
    leftWhenLoaded = [...waiting.keys()];
    return { thread: { id: server.threadId, status: { type: 'idle' } } };
  });
  await goOn();
  expect(leftWhenLoaded).toEqual(['q2', 'q3']);
});
