import { createNodeRelayClient } from 'agent-relay-client/node';
import { PROTOCOL_VERSION } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';

let relay: TestRelay;
let client: ReturnType<typeof createNodeRelayClient>;
let node: JsonRpcPeer;
let sessionId: string;
let seq: number;

beforeEach(async () => {
  relay = await startTestRelay();
  const { url, ownerToken: token } = relay;
  client = createNodeRelayClient({ url, token });
  const socket = await connectWebSocket(`${url.replace('http', 'ws')}/ws`, { headers: { authorization: `Bearer ${token}` } });
  node = new JsonRpcPeer(socket, {
    onRequest: async () => ({ cwd: '/work', vendorSessionId: null, model: null, mood: 'of a later version' }),
  });
  const range = { protocol: PROTOCOL_VERSION + 1, minProtocol: PROTOCOL_VERSION };
  const providers = [{ id: 'scripted', available: true, version: null, reason: null }];
  await node.request('nodes/attach', { name: 'laptop', version: '9.9.9', providers, sessions: [], ...range });
  ({ sessionId } = await client.sessions.start({ name: 'Worker', provider: 'scripted', approval: 'guarded' }));
  seq = 0;
});
afterEach(async () => {
  await node.close();
  await client.close();
  await relay.close();
});

const append = (...events: object[]) =>
  node.request('activity/append', { sessionId, entries: events.map((event) => ({ seq: ++seq, at: 1, event })) });
const stored = async () => (await client.agents.activity({ id: 'Worker' })).data.map(({ event }) => event);

test('what a newer node tells in an event that this relay does not know is stored and passed on whole, as a vendor event', async () => {
  const paused = { turnId: 't1', until: { step: 3, reasons: ['lunch', null] } };
  const stop = new AbortController();
  const followed: unknown[] = [];
  const following = (async () => {
    for await (const { id, event } of client.activity('Worker', { after: 0, signal: stop.signal })) followed.push([id > 0, event]);
  })();
  expect(await append({ type: 'turn.paused', ...paused }, { type: 'context.compacted' })).toEqual({ ackedSeq: 2 });
  const read = { type: 'vendor.event', vendor: 'agent-relay', name: 'turn.paused', data: paused };
  expect(await stored()).toEqual([read, { type: 'context.compacted' }]);
  await node.notify('activity/live', { sessionId, at: 2, events: [{ type: 'turn.dreamt', ...paused }] });
  const live = { ...read, name: 'turn.dreamt' };
  await expect
    .poll(() => followed)
    .toEqual([
      [true, read],
      [true, { type: 'context.compacted' }],
      [false, live],
    ]);
  stop.abort();
  await following;
});

test('a word that this relay does not know stays in an event that it knows', async () => {
  const started = { type: 'tool.started', turnId: 't1', itemId: 'i1', name: 'Browse', kind: 'browse', title: 'example.org' };
  const completed = { type: 'tool.completed', turnId: 't1', itemId: 'i1', outcome: 'postponed' };
  await append(started, completed);
  expect(await stored()).toEqual([started, completed]);
});

test('a question of a kind that this relay does not know is asked, and one that ends in such a way was not allowed', async () => {
  const options = [{ id: 'later', label: 'Ask me later', outcome: 'postpone' }];
  await append({ type: 'approval.requested', approvalId: 'a1', kind: 'browse', title: 'example.org', options });
  expect((await client.approvals.list()).data).toMatchObject([{ approvalId: 'a1', status: 'pending', kind: 'browse' }]);
  await append({ type: 'approval.resolved', approvalId: 'a1', outcome: 'pending', by: 'session' });
  expect((await client.approvals.list()).data).toMatchObject([{ approvalId: 'a1', status: 'cancelled', by: 'session' }]);
});

test('a presence that this relay does not know says that the agent is there', async () => {
  expect(await node.request('nodes/heartbeat', { sessions: [{ sessionId, status: 'busy' }] })).toEqual({ release: [] });
  expect(await node.request('nodes/heartbeat', { sessions: [{ sessionId, status: 'dreaming' }] })).toEqual({ release: [] });
  expect(await client.agents.get({ id: 'Worker' })).toMatchObject({ status: 'online' });
  await node.request('sessions/report', { sessionId, status: 'dreaming', activity: 'idle' });
  expect(await client.agents.get({ id: 'Worker' })).toMatchObject({ status: 'idle' });
});

test('what no version says is refused, by its place', async () => {
  const refused = append({ type: 'text.completed', turnId: 't1', itemId: 'i1' });
  await expect(refused).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path: 'entries.0.event.text' }] });
});
