import { expect, test } from 'vitest';
import { CodexClient } from '../src/app-server/codex-client.ts';
import type { CodexThread } from '../src/app-server/codex-thread.ts';
import { parseNotification, parseSubAgent } from '../src/app-server/notifications.ts';
import { FakeAppServer } from './fake-app-server.ts';

const turn = (n: number) => `01a1fd7c-0000-7000-8000-00000000000${n}`;
const says = (id: string, text: string) => ({ type: 'agentMessage', id, text });
const spawns = (id: string, threadId: string) => ({
  ...{ type: 'collabAgentToolCall', id, tool: 'spawnAgent', status: 'completed', prompt: 'go' },
  receiverThreadIds: [threadId],
});

/** What sub-agents are told to have said, by the call that started them. */
function told(thread: CodexThread): string[] {
  const seen: string[] = [];
  void (async () => {
    for await (const notification of thread.notifications) {
      const known = parseNotification(notification);
      if (known?.method !== 'client/subAgent') continue;
      const said = parseSubAgent(known);
      const item = said?.method === 'item/completed' ? said.params.item.known : undefined;
      seen.push(`${known.params.itemId} ${item?.type === 'agentMessage' ? item.text : said?.method}`);
    }
  })();
  return seen;
}

test('what sub-agents said while the line was cut is told once it is there again, of those that began meanwhile too', async () => {
  await using server = await FakeAppServer.start();
  await using client = await CodexClient.connect(server.endpoint, { clientInfo: { name: 'test', version: '1' } });
  const thread = await client.startThread({ cwd: '/home/user/project' });
  const seen = told(thread);
  const tell = (method: string, threadId: string, params: object) => server.notify(method, { threadId, ...params });
  tell('turn/started', thread.id, { turn: { id: turn(1), status: 'inProgress', items: [] } });
  tell('item/completed', thread.id, { turnId: turn(1), item: spawns('call-a', 'a') });
  tell('turn/started', 'a', { turn: { id: turn(2), status: 'inProgress', items: [] } });
  tell('item/completed', 'a', { turnId: turn(2), item: says('m1', 'heard') });
  await expect.poll(() => seen).toEqual(['call-a turn/started', 'call-a heard']);

  // `b` began and ended, and its server has let it go; `a` took over what was said before it, and goes on.
  const turns: Record<string, readonly object[]> = {
    [thread.id]: [{ id: turn(1), status: 'inProgress', items: [] }],
    a: [
      { id: turn(4), status: 'inProgress', items: [] },
      { id: turn(2), status: 'completed', items: [] },
      { id: turn(1), status: 'completed', items: [] },
    ],
    b: [{ id: turn(3), status: 'completed', items: [] }],
  };
  const items: Record<string, readonly object[]> = {
    [turn(1)]: [spawns('call-b', 'b')],
    [turn(2)]: [says('m2', 'missed'), says('m1', 'heard')],
    [turn(3)]: [says('m3', 'of another')],
  };
  server.answer('thread/loaded/list', () => ({ data: [thread.id, 'a'], nextCursor: null }));
  server.answer('thread/turns/list', ({ threadId }) => ({ data: turns[String(threadId)] }));
  server.answer('thread/items/list', ({ turnId }) => ({
    data: (items[String(turnId)] ?? []).map((item) => ({ turnId, item })),
  }));
  server.disconnect();
  const missed = ['call-a missed', 'call-a turn/completed', 'call-a turn/started'];
  const ofB = ['call-b turn/started', 'call-b of another', 'call-b turn/completed'];
  await expect.poll(() => seen.slice(2)).toEqual([...missed, ...ofB]);
  expect(server.received.flatMap(({ method, params }) => (method === 'thread/resume' ? [params['threadId']] : []))).toEqual([
    thread.id,
    'a',
  ]);

  // What comes live goes on from there.
  await expect.poll(() => server.connections).toBe(1);
  tell('turn/completed', 'a', { turn: { id: turn(2), status: 'completed', items: [] } });
  tell('item/completed', 'a', { turnId: turn(4), item: says('m4', 'live') });
  await expect.poll(() => seen.slice(8)).toEqual(['call-a live']);
});
