import { AgentIdSchema, MCP_PATH, RelayError, type RouteInput, type RouteName, routeNames, routes } from 'agent-relay-protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { as, owner } from './session-world.ts';
import { agentRelay } from './support/run-command.ts';

/** A name that nobody has, for which mail was left all the same; `Worker` is meant. */
const id = 'Wroker';
const agentId = id;
const channel = 'Telegarm';

type Ask = () => unknown;
type Field = `${RouteName} ${string}`;

let relay: TestRelay;
let claimId = '';
let taskId = 0;
let offered = 0;
let mail = 0;
let pairId = 0;

beforeAll(async () => {
  relay = await startTestRelay();
  await ask('agents/register', { id: 'Worker', name: 'Worker' });
  await ask('agents/register', { id: 'Partner', name: 'Partner' });
  await ask('agents/register', { id: 'Telegram', name: 'Telegram', kind: 'channel' });
  await ask('messages/send', { to: `id:${id}`, body: 'for whoever is still to come' });
  mail = (await ask('messages/send', { to: 'Worker', body: 'hello' })).id;
  const held = await ask('messages/send', { to: 'Worker', body: 'work', claimable: true });
  ({ claimId } = await ask('messages/claim', { id: held.id, agentId: 'Worker' }));
  offered = (await ask('messages/send', { to: 'Worker', body: 'more work', claimable: true })).id;
  const reported = await ask('integrations/report', { source: 'ci', type: 'task', title: 'red', target: 'Worker' });
  taskId = reported.task?.id ?? 0;
  await ask('tasks/claim', { id: taskId, agentId: 'Worker' });
  pairId = (await ask('pairs/request', { from: 'Partner', target: 'Worker', objective: 'talk' })).id;
});
afterAll(() => relay.close());

const ask = async <Name extends RouteName>(name: Name, input: RouteInput<Name>) => relay.relay.handlers[name](input, as(owner));

const asked: Partial<Record<Field, Ask>> = {
  'agents/get id': () => ask('agents/get', { id }),
  'agents/heartbeat id': () => ask('agents/heartbeat', { id }),
  'agents/label id': () => ask('agents/label', { id, label: 'x' }),
  'agents/tags id': () => ask('agents/tags', { id, tags: ['x'] }),
  'agents/status id': () => ask('agents/status', { id, status: 'idle' }),
  'agents/ready id': () => ask('agents/ready', { id, ready: true }),
  'agents/approval id': () => ask('agents/approval', { id, approval: 'open' }),
  'agents/remove id': () => ask('agents/remove', { id }),
  'agents/interrupt id': () => ask('agents/interrupt', { id }),
  'agents/release id': () => ask('agents/release', { id }),
  'agents/activity id': () => ask('agents/activity', { id }),
  'inbox/list id': () => ask('inbox/list', { id }),
  'inbox/ack id': () => ask('inbox/ack', { id, ids: [mail] }),
  'deliveries/report id': () => ask('deliveries/report', { id, reports: [{ messageId: mail, state: 'dispatched' }] }),
  'messages/list for': () => ask('messages/list', { for: 'Wokrer' }),
  'messages/verify agentId': () => ask('messages/verify', { id: mail, agentId }),
  'messages/read agentId': () => ask('messages/read', { id: mail, agentId, read: true }),
  'messages/claim agentId': () => ask('messages/claim', { id: offered, agentId }),
  'claims/renew agentId': () => ask('claims/renew', { id: claimId, agentId }),
  'claims/progress agentId': () => ask('claims/progress', { id: claimId, agentId, progress: 1 }),
  'claims/release agentId': () => ask('claims/release', { id: claimId, agentId }),
  'claims/complete agentId': () => ask('claims/complete', { id: claimId, agentId }),
  'work/list for': () => ask('work/list', { for: id }),
  'sessions/start spawnedBy': () => ask('sessions/start', { provider: 'claude', name: 'Child', spawnedBy: id }),
  'sessions/start resumeFrom': () => ask('sessions/start', { provider: 'claude', name: 'Copy', resume: true, resumeFrom: id }),
  'sessions/list agent': () => ask('sessions/list', { agent: id }),
  'approvals/list agent': () => ask('approvals/list', { agent: id }),
  'approvals/count agent': () => ask('approvals/count', { agent: id }),
  'approvals/resolve id': () => ask('approvals/resolve', { id, approvalId: 'a', outcome: 'allow' }),
  'approvals/ask id': () => ask('approvals/ask', { id, approvalId: 'a', kind: 'execute', title: 'ls' }),
  'approvals/withdraw id': () => ask('approvals/withdraw', { id, approvalId: 'a' }),
  'rules/list agent': () => ask('rules/list', { agent: id }),
  'rules/create agentId': () => ask('rules/create', { agentId: id, kind: 'execute', command: ['ls'], folder: '/w' }),
  'reservations/list agent': () => ask('reservations/list', { agent: id }),
  'reservations/check agentId': () => ask('reservations/check', { agentId, kind: 'edit', files: ['/w/a'] }),
  'reservations/create agentId': () => ask('reservations/create', { agentId, folder: '/w', patterns: ['a'] }),
  'reservations/renew agentId': () => ask('reservations/renew', { id: 1, agentId }),
  'reservations/release agentId': () => ask('reservations/release', { id: 1, agentId }),
  'shares/create agentId': () => ask('shares/create', { agentId: id }),
  'shares/list agent': () => ask('shares/list', { agent: id }),
  'usage/list agent': () => ask('usage/list', { agent: id }),
  'search/find agent': () => ask('search/find', { agent: id, in: 'activity' }),
  'tasks/claim agentId': () => ask('tasks/claim', { id: taskId, agentId }),
  'tasks/status agentId': () => ask('tasks/status', { id: taskId, agentId, status: 'done' }),
  'pairs/request from': () => ask('pairs/request', { from: id, target: 'Partner', objective: 'talk' }),
  'pairs/list agent': () => ask('pairs/list', { agent: id }),
  'pairs/count agent': () => ask('pairs/count', { agent: id }),
  'pairs/accept agentId': () => ask('pairs/accept', { id: pairId, agentId }),
  'pairs/reject agentId': () => ask('pairs/reject', { id: pairId, agentId }),
  'pairs/send from': () => ask('pairs/send', { id: pairId, from: id, body: 'hello' }),
  'pairs/hangup agentId': () => ask('pairs/hangup', { id: pairId, agentId }),
  'channels/get id': () => ask('channels/get', { id: channel }),
  'channels/bind id': () => ask('channels/bind', { id: channel, conversationId: 'c', target: 'Worker' }),
  'channels/unbind id': () => ask('channels/unbind', { id: channel, bindingId: 'b' }),
  'channels/receive id': () =>
    ask('channels/receive', { id: channel, conversationId: 'c', externalId: '1', body: 'hello', sender: { id: 'u', name: 'Ann' } }),
  'channels/link id': () => ask('channels/link', { id: channel, messageId: mail, conversationId: 'c', externalIds: ['1'] }),
  'channels/conversation id': () => ask('channels/conversation', { id: channel, messageId: mail }),
};

/** Where an id need not be that of an agent, or of one that there is. */
const elsewhere: Partial<Record<Field, string>> = {
  'agents/register id': 'it makes the agent',
  'sessions/start name': 'it makes the agent',
  'sessions/invite agent': 'it makes the agent',
  'tokens/create agentId': 'a token may be there before its agent',
  'messages/send from': 'a program that has registered nobody signs with a name',
  'messages/list from': 'a program that has registered nobody signs with a name',
  'holds/list from': 'a program that has registered nobody signs with a name',
  'holds/count from': 'a program that has registered nobody signs with a name',
  'messages/dismiss agentId': 'the refusal names the sender, who alone may',
  'messages/remove agentId': 'the refusal names the sender, who alone may',
  'integrations/report source': 'a system outside',
  'tasks/list source': 'a system outside',
  'tasks/count source': 'a system outside',
  'callbacks/list integration': 'a system outside',
  'callbacks/count integration': 'a system outside',
};

const patternOf = (schema: unknown): unknown =>
  typeof schema === 'object' && schema !== null && 'pattern' in schema ? schema.pattern : null;
const agentIdPattern = patternOf(z.toJSONSchema(AgentIdSchema, { io: 'input' }));

/** Each field of a route that takes an agent's id. */
const fields = routeNames.flatMap((name) => {
  const properties = Object.entries(z.toJSONSchema(routes[name].input, { io: 'input' }).properties ?? {});
  return properties.flatMap(([field, schema]) => (patternOf(schema) === agentIdPattern ? [`${name} ${field}` as Field] : []));
});

async function refusalOf(operation: Ask): Promise<unknown> {
  try {
    return await operation();
  } catch (error) {
    return error instanceof RelayError ? { code: error.code, near: error.details?.['near'], message: error.message } : error;
  }
}

describe('an agent that is not there', () => {
  test.each(fields)('%s: whoever names one is told which one was most likely meant', async (field) => {
    const operation = asked[field];
    if (operation === undefined) return expect(elsewhere[field]).toEqual(expect.any(String));
    const near = field.startsWith('channels/') ? 'Telegram' : 'Worker';
    expect(await refusalOf(operation)).toEqual({ code: 'not_found', near, message: expect.stringContaining(`: did you mean ${near}?`) });
  });

  test('what is kept of a removed agent is listed all the same', async () => {
    const { handlers } = relay.relay;
    await ask('agents/register', { id: 'Leaver', name: 'Leaver' });
    await ask('pairs/request', { from: 'owner', target: 'Leaver', objective: 'talk' });
    await ask('agents/remove', { id: 'Leaver' });
    expect((await handlers['pairs/list']({ agent: 'Leaver' }, as(owner))).data).toMatchObject([{ target: 'Leaver', status: 'ended' }]);
  });

  test('following one is refused as reading is', async () => {
    const signal = new AbortController().signal;
    const follow = () => relay.relay.openActivity({ id }, { principal: owner, signal });
    expect(await refusalOf(follow)).toMatchObject({ code: 'not_found', near: 'Worker' });
  });

  test.each([
    ['logs', id],
    ['logs', id, '--follow'],
    ['approvals', '--agent', id],
    ['approvals', '--agent', id, '--all'],
    ['approve', 'aa11', '--agent', id],
    ['watch', '--agent', id],
    ['inbox', '--agent', id],
    ['send', id, 'hello'],
    ['release', id],
    ['interrupt', id],
    ['pair', id, '--objective', 'talk'],
    ['pair', 'status', '--agent', id],
    ['pair', 'hangup', '--agent', id],
    ['/status', '--agent', id],
    ['/label', 'x', '--agent', id],
    ['/tags', 'x', '--agent', id],
  ])('`agent-relay %s %s` ends with 1 and says so', async (...args) => {
    const { code, out, notes } = await agentRelay(relay, ...args);
    expect({ code, out, notes }).toEqual({ code: 1, out: '', notes: expect.stringContaining('did you mean Worker?') });
  });

  test.each([
    ['relay_send', { to: id, body: 'hello' }],
    ['relay_pair', { action: 'invite', target: `id:${id}`, objective: 'talk' }],
    ['relay_interrupt', { name: id }],
    ['relay_release', { name: id }],
  ])('the tool %s tells a model', async (name, args) => {
    const response = await fetch(relay.url + MCP_PATH, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${relay.ownerToken}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
    });
    expect(await response.json()).toMatchObject({
      result: { isError: true, content: [{ text: expect.stringMatching(/^not_found: .*did you mean Worker\?.*"near":"Worker"/u) }] },
    });
  });
});
