import { RelayError, type RouteName, routeNames, routes } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { rawRequest } from './support/raw-http.ts';

let relay: TestRelay;
let peer: JsonRpcPeer;

beforeAll(async () => {
  // So that the second answer of an agent to an agent is held.
  relay = await startTestRelay({ arrivalMs: 0, settings: { AGENT_RELAY_HOP_LIMIT: '1' } });
  const headers = { authorization: `Bearer ${relay.ownerToken}` };
  peer = new JsonRpcPeer(await connectWebSocket(`${relay.url.replace('http', 'ws')}/ws`, { headers }));
});
afterAll(async () => {
  await peer.close();
  await relay.close();
});

type Answer = { readonly output: unknown } | { readonly code: string };

async function overHttp(name: RouteName, input: Record<string, unknown>): Promise<Answer> {
  const { method, path } = routes[name];
  const rest = { ...input };
  const filled = path.replace(/:(\w+)/gu, (_, key: string) => {
    const value = String(rest[key]);
    delete rest[key];
    return encodeURIComponent(value);
  });
  const hasBody = method === 'POST' || method === 'PATCH';
  const fields = hasBody ? {} : Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, String(value)]));
  const query = new URLSearchParams(fields).toString();
  const answer = await rawRequest(`${relay.url}/api${filled}${query === '' ? '' : `?${query}`}`, {
    method,
    headers: { authorization: `Bearer ${relay.ownerToken}`, ...(hasBody ? { 'content-type': 'application/json' } : {}) },
    ...(hasBody ? { body: JSON.stringify(rest) } : {}),
  });
  if (answer.status < 400) return { output: answer.body };
  return { code: (answer.body as { error: { code: string } }).error.code };
}

async function overSocket(name: RouteName, input: Record<string, unknown>): Promise<Answer> {
  try {
    return { output: await peer.request(name, input) };
  } catch (error) {
    if (error instanceof RelayError) return { code: error.code };
    throw error;
  }
}

/** Each transport has an agent of its own, so that both can do the same; the one's name is written for the other's before comparing. */
interface World {
  readonly call: (name: RouteName, input: Record<string, unknown>) => Promise<Answer>;
  readonly id: string;
}

const outputOf = (answer: Answer): Record<string, unknown> => {
  if ('code' in answer) throw new Error(`refused: ${answer.code}`);
  return answer.output as Record<string, unknown>;
};

/** One call of every route, in an order in which each finds what it needs. */
async function walk({ call, id }: World): Promise<Map<RouteName, Answer>> {
  const answers = new Map<RouteName, Answer>();
  const take = async (name: RouteName, input: Record<string, unknown> = {}) => {
    const answer = await call(name, input);
    answers.set(name, answer);
    return answer;
  };
  await take('system/health');
  await take('system/version');
  await take('system/stats');
  await take('system/settings');
  await take('system/me');
  await take('login/create');
  const token = outputOf(await take('tokens/create', { name: id, scopes: ['stats:read'], targets: ['id:owner'] }));
  await take('tokens/list');
  await take('tokens/revoke', { id: token['tokenId'] });
  await take('shares/create', { agentId: id, expiresInMs: 60_000 });
  await take('shares/list');
  await take('shares/revoke', { id: 'none' });
  await take('shared/get');
  await take('push/key');
  const keys = {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  };
  const device = outputOf(await take('push/subscribe', { endpoint: `https://push.invalid/${id}`, keys, topics: ['stalls'], label: id }));
  await take('push/list');
  await take('push/unsubscribe', { id: device['id'] });
  await take('push/look', { page: id, isLookedAt: true });
  await take('agents/register', {
    id,
    name: id,
    instanceId: 'walk',
    capabilities: [`cap-${id}`],
    withToken: true,
    meta: { nested: { list: [1, 'two'] } },
  });
  await take('agents/heartbeat', { id, status: 'idle' });
  await take('agents/label', { id, label: 'a label' });
  await take('agents/tags', { id, tags: [`tag-${id}`], channels: null });
  await take('agents/status', { id, status: 'busy' });
  await take('agents/ready', { id, ready: true });
  await take('agents/approval', { id, approval: 'guarded' });
  await take('agents/get', { id });
  await take('agents/list', { tag: `tag-${id}` });
  await take('agents/find', { capability: `cap-${id}` });
  await take('agents/interrupt', { id });
  await take('agents/release', { id });
  await take('agents/activity', { id, limit: 5, newest: true });
  const plain = outputOf(await take('messages/send', { to: id, body: 'héllo "world"\n', subject: 'one', idempotencyKey: id }));
  await take('messages/cursor');
  await take('messages/get', { id: plain['id'] });
  await take('messages/list', { for: id, unread: true, limit: 10 });
  await take('messages/thread', { id: plain['id'] });
  await take('inbox/list', { id, limit: 1 });
  await take('deliveries/report', { id, reports: [{ messageId: plain['id'], state: 'delivered', evidence: 'accepted' }] });
  await take('messages/deliveries', { id: plain['id'] });
  await take('messages/read', { id: plain['id'], agentId: id });
  await take('inbox/ack', { id, ids: [plain['id'], 999_999] });
  const work = outputOf(await call('messages/send', { to: id, body: 'work', claimable: true }));
  await take('work/list', { for: id });
  const first = outputOf(await take('messages/claim', { id: work['id'], agentId: id }));
  await take('claims/get', { id: first['claimId'] });
  await take('claims/renew', { id: first['claimId'], agentId: id, fence: first['fence'] });
  await take('claims/progress', { id: first['claimId'], agentId: id, progress: { percent: 50 } });
  await take('claims/release', { id: first['claimId'], agentId: id, reason: 'lunch' });
  const second = outputOf(await call('messages/claim', { id: work['id'], agentId: id }));
  await take('claims/complete', { id: second['claimId'], agentId: id, result: 'done' });
  await take('search/find', { text: 'work', in: 'messages', agent: id, limit: 5 });
  // What the walk before has left.
  const { data: left } = outputOf(await call('messages/list', { deadLetter: true })) as { data: { id: number }[] };
  for (const letter of left) await call('messages/dismiss', { id: letter.id });
  await take('messages/dead');
  await take('messages/dismiss', { id: plain['id'] });
  await take('messages/remove', { id: plain['id'] });
  const reported = outputOf(
    await take('integrations/report', {
      title: 'disk full',
      target: id,
      source: 'reporter',
      dedupeKey: `disk-${id}`,
      metadata: { host: 'a' },
    }),
  );
  const task = { id: (reported['task'] as { id: number }).id };
  await take('integrations/list');
  await take('tasks/list', { source: 'reporter', status: 'active', limit: 5 });
  await take('tasks/count', { status: 'active' });
  await take('tasks/get', task);
  await take('tasks/claim', { ...task, agentId: id });
  await take('tasks/status', { ...task, agentId: id, status: 'in_progress', progress: { percent: 5 } });
  await take('tasks/events', task);
  await call('tasks/status', { ...task, agentId: id, status: 'done' });
  await take('callbacks/list', { status: 'dead', task: task.id });
  await take('callbacks/count', { status: 'dead' });
  await take('callbacks/redeliver', { id: 999_999 });
  await take('sessions/start', { name: `${id}-child`, provider: 'claude' });
  await take('sessions/list', { agent: id });
  await take('sessions/get', { id: 'none' });
  await take('sessions/invite', { agent: `${id}-dialler` });
  await take('nodes/list');
  await take('nodes/pairings');
  await take('nodes/pair', { code: '2222-2222' });
  await take('nodes/rename', { id: 'none', name: 'another' });
  await take('nodes/remove', { id: 'none' });
  await take('approvals/ask', { id, approvalId: 'own', kind: 'execute', title: 'npm test', waitMs: 0 });
  await take('approvals/withdraw', { id, approvalId: 'own', message: 'answered here' });
  await take('approvals/list', { agent: id, status: 'pending' });
  await take('approvals/count', { agent: id, status: 'pending' });
  await take('approvals/resolve', { id, approvalId: 'none', outcome: 'deny', message: 'no' });
  await take('rules/list', { agent: id, active: true });
  await take('rules/create', { agentId: id, command: ['npm', 'test'], folder: '/srv', maxUses: 2 });
  await take('rules/revoke', { id: 999_999 });
  const reserved = outputOf(await take('reservations/create', { agentId: id, folder: '/srv', patterns: [`${id}/**`] }));
  await take('reservations/list', { agent: id });
  await take('reservations/check', { agentId: id, kind: 'edit', files: [`/srv/${id}/a`] });
  await take('reservations/renew', { id: reserved['id'], agentId: id });
  await take('reservations/release', { id: reserved['id'], agentId: id });
  await take('hooks/set', { trigger: 'task_failed', name: 'tell', webhook: 'https://ci.example/agents', secret: 'long-enough' });
  await take('hooks/remove', { name: 'tell' });
  await take('hooks/describe');
  await take('audit/list', { action: 'sessions/start', limit: 5 });
  await take('audit/verify');
  await take('usage/list', { agent: id, since: '2026-01-01' });
  await take('hooks/test', { name: 'none' });
  await call('agents/register', { id: `${id}-partner`, name: `${id}-partner` });
  const declined = outputOf(await take('pairs/request', { from: id, target: `${id}-partner`, objective: 'talk' }));
  await take('pairs/reject', { id: declined['id'], agentId: `${id}-partner`, reason: 'later' });
  const pair = outputOf(await call('pairs/request', { from: id, target: `${id}-partner`, objective: 'talk' }));
  await take('pairs/accept', { id: pair['id'], agentId: `${id}-partner` });
  await take('pairs/send', { id: pair['id'], from: id, body: 'hello' });
  await take('messages/verify', { id: pair['id'], agentId: id });
  for (const because of ['holds/release', 'holds/refuse'] as const) {
    const asked = outputOf(await call('messages/send', { from: id, to: `${id}-partner`, body: because }));
    const answered = outputOf(await call('messages/send', { from: `${id}-partner`, replyTo: asked['id'], body: because }));
    expect(await call('messages/send', { from: id, replyTo: answered['id'], body: because })).toEqual({ code: 'message_held' });
    const { data } = outputOf(await take('holds/list', { status: 'held', from: id, limit: 1 })) as { data: { id: number }[] };
    await take('holds/count', { status: 'held', from: id });
    await take('holds/get', { id: data[0]?.id });
    await take(because, { id: data[0]?.id });
  }
  await take('pairs/list', { agent: id, status: 'active' });
  await take('pairs/count', { agent: id, status: 'active' });
  await take('pairs/get', { id: pair['id'] });
  await take('pairs/hangup', { id: pair['id'], agentId: id });
  await call('agents/register', { id: `${id}-channel`, name: `${id}-channel`, kind: 'channel', transport: 'test' });
  const channel = { id: `${id}-channel` };
  const binding = outputOf(await take('channels/bind', { ...channel, conversationId: 'chat', target: id }));
  await take('channels/receive', { ...channel, conversationId: 'chat', body: 'hello', externalId: '1', sender: { id: 'u', name: 'Ann' } });
  const outgoing = outputOf(await call('messages/send', { to: channel.id, body: 'hello', meta: { channel: { conversationId: 'chat' } } }));
  await take('channels/conversation', { ...channel, messageId: outgoing['id'] });
  await take('channels/link', { ...channel, messageId: outgoing['id'], conversationId: 'chat', externalIds: ['2'] });
  await take('channels/get', channel);
  await take('channels/unbind', { ...channel, bindingId: binding['bindingId'] });
  await call('agents/remove', { id: `${id}-partner` });
  await take('agents/remove', { id });
  await take('channels/list');
  await call('agents/remove', channel);
  return answers;
}

/** What differs between two calls by nature: numbers and times that count up, secrets, and the name of the walker. */
function comparable(answer: Answer | undefined, id: string): unknown {
  const text = JSON.stringify(answer)
    .replaceAll(id, 'WALKER')
    .replaceAll(/ar_dial_[\w-]+/gu, 'CODE');
  const volatile =
    /^(?:id|taskId|at|seq|cursor|nextCursor|uptimeMs|total|undelivered|claimId|tokenId|subjectId|messageId|threadId|replyTo|pairId|bindingId|nonce|token|code|fence|holdId|bodySha256|verdict|expiresAt|.+At|acknowledged|applied|checked|hash)$/u;
  return JSON.parse(text, (key, value) => {
    if (!volatile.test(key) || value === null) return value;
    if (key === 'code' && typeof value === 'string' && !value.startsWith('ar_')) return value;
    return typeof value;
  });
}

test('every route answers the same over HTTP and over the socket, in the shape the table declares', async () => {
  const http = await walk({ call: overHttp, id: 'walker-h' });
  const socket = await walk({ call: overSocket, id: 'walker-s' });
  expect([...http.keys()].sort()).toEqual([...routeNames].sort());
  for (const name of routeNames) {
    const answer = http.get(name);
    if (answer && 'output' in answer) expect([name, routes[name].output.safeParse(answer.output).error?.issues]).toEqual([name, undefined]);
    expect([name, comparable(answer, 'walker-h')]).toEqual([name, comparable(socket.get(name), 'walker-s')]);
  }
  const refused = [...http].flatMap(([name, answer]) => ('code' in answer ? [name] : []));
  // What needs a machine, which this relay has none of, and what is not there.
  expect(refused.sort()).toEqual([
    'agents/interrupt',
    'agents/release',
    'approvals/resolve',
    'callbacks/redeliver',
    'hooks/test',
    'nodes/pair',
    'nodes/remove',
    'nodes/rename',
    'rules/revoke',
    'sessions/get',
    'sessions/start',
    'shared/get',
    'shares/create',
    'shares/revoke',
  ]);
});

test('every route refuses what is no input of it, and none of them with a bug', async () => {
  const wrong: Record<string, unknown>[] = [
    { id: {}, claimId: [], sessionId: null },
    { id: '\u0000', unknown: 1 },
    { id: -1, to: 1, body: {}, ids: 'x', reports: [{}], since: 'x', limit: 1e9, waitMs: -1 },
    { id: 'x'.repeat(10_000), claimId: 'x'.repeat(10_000), sessionId: 'x'.repeat(10_000) },
    { id: 'nobody', name: '', agentId: '../..', fence: 1.5, progress: undefined },
  ];
  for (const name of routeNames) {
    if (Object.keys(Reflect.get(routes[name].input, 'shape') ?? {}).length === 0) continue;
    for (const input of wrong) {
      for (const answer of [await overHttp(name, input), await overSocket(name, input)]) {
        if ('code' in answer) expect([name, answer.code]).not.toEqual([name, 'internal']);
      }
    }
  }
  expect((await rawRequest(`${relay.url}/api/health`)).status).toBe(200);
});

test('what an older program calls a claim or a session is understood, and not beside the word of today', async () => {
  for (const [name, former] of [
    ['claims/get', 'claimId'],
    ['claims/release', 'claimId'],
    ['sessions/get', 'sessionId'],
  ] as const) {
    expect(await overSocket(name, { [former]: 'none' })).toMatchObject({ code: 'not_found' });
    expect(await overSocket(name, { id: 'none', [former]: 'none' })).toMatchObject({ code: 'validation_failed' });
  }
});
