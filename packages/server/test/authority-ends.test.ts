import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { RelayError } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { attachNode, type FakeNode } from './support/fake-node.ts';
import { nodeToken } from './support/node-token.ts';
import { browserHeaders } from './support/open-server.ts';
import { poll } from './support/poll.ts';
import { rawRequest } from './support/raw-http.ts';

let relay: TestRelay;
let owner: RelayClient;
let node: FakeNode;

beforeAll(async () => {
  // The reaper looks once a minute: nothing here may wait for it.
  relay = await startTestRelay();
  owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  node = await attachNode(relay.url, relay.ownerToken, 'machine');
});
afterAll(async () => {
  await node.peer.close();
  await owner.close();
  await relay.close();
});

const LIFE_MS = 5_000;
const SECRET = 'said after the end';

/** Somebody with a token, and what ends it. */
interface Ending {
  readonly token: string;
  readonly agentId: string;
  readonly end: () => Promise<unknown>;
}

const session = async (agentId: string) =>
  (await owner.agents.register({ id: agentId, name: agentId, instanceId: 'first', withToken: true })).token ?? '';

const endings: Readonly<Record<string, (agentId: string) => Promise<Ending>>> = {
  'a session that a newer epoch replaces': async (agentId) => ({
    agentId,
    token: await session(agentId),
    end: () => owner.agents.register({ id: agentId, name: agentId, instanceId: 'second' }),
  }),
  'an agent that is removed': async (agentId) => ({
    agentId,
    token: await session(agentId),
    end: () => owner.agents.remove({ id: agentId }),
  }),
  'a session token that is revoked': async (agentId) => ({
    agentId,
    token: await session(agentId),
    end: async () => {
      const { data } = await owner.tokens.list();
      await owner.tokens.revoke({ id: data.find((listed) => listed.agentId === agentId)?.tokenId ?? '' });
    },
  }),
  'a spawned session that is released': async (agentId) => {
    await owner.sessions.start({ name: agentId, provider: 'claude' });
    return { agentId, token: node.tokens.get(agentId) ?? '', end: () => owner.agents.release({ id: agentId }) };
  },
  'a token of an agent that is revoked': async (agentId) => {
    const { token, tokenId } = await owner.tokens.create({ name: agentId, kind: 'agent', agentId });
    await owner.agents.register({ id: agentId, name: agentId });
    return { agentId, token, end: () => owner.tokens.revoke({ id: tokenId }) };
  },
  'a token of an agent that runs out': async (agentId) => {
    const { token } = await owner.tokens.create({ name: agentId, kind: 'agent', agentId, expiresInMs: LIFE_MS });
    await owner.agents.register({ id: agentId, name: agentId });
    const endsAt = Date.now() + LIFE_MS;
    return { agentId, token, end: () => poll('the token to run out', () => Date.now() > endsAt) };
  },
};

async function httpCode(token: string, path: string): Promise<string> {
  const { body } = await rawRequest(`${relay.url}/api${path}`, { headers: { authorization: `Bearer ${token}` } });
  return (body as { error?: { code: string } }).error?.code ?? 'ok';
}

async function socketOf(token: string) {
  const heard: unknown[] = [];
  const duplex = await connectWebSocket(`${relay.url.replace('http', 'ws')}/ws`, { headers: { authorization: `Bearer ${token}` } });
  const peer = new JsonRpcPeer(duplex, { onNotification: (method, params) => void heard.push(method, params) });
  return { peer, heard };
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: unknown) => (error instanceof RelayError ? error.code : Promise.reject(error)),
  );

async function mcpWait(token: string): Promise<string> {
  const call = { name: 'relay_inbox', arguments: { waitMs: 20_000 } };
  const { text } = await rawRequest(`${relay.url}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call }),
  });
  return text;
}

async function mcpAnswer(token: string): Promise<string> {
  const call = { name: 'relay_send', arguments: { to: 'owner', body: 'a question', waitForAnswerMs: 20_000 } };
  const { text } = await rawRequest(`${relay.url}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call }),
  });
  return text;
}

describe.each(Object.entries(endings))('%s', (what, begin) => {
  const id = (part: string) => `${part}-${Object.keys(endings).indexOf(what)}`;

  test('ends its streams, sockets, subscriptions and calls that wait within a second, and nothing reaches them afterwards', async () => {
    const { token, agentId, end } = await begin(id('subject'));
    const stream = await fetch(`${relay.url}/api/events`, { headers: { authorization: `Bearer ${token}` } });
    const streamed = stream.text();
    const { peer, heard } = await socketOf(token);
    const idle = await socketOf(token);
    await peer.request('events/subscribe', {});
    await peer.request('inbox/subscribe', { id: agentId });
    const waiting = codeOf(
      idle.peer.request('messages/send', { to: 'id:nobody-reads', body: 'x', waitFor: { state: 'seen', timeoutMs: 20_000 } }),
    );
    const answered = mcpAnswer(token);
    await poll('the question of the tool', async () => (await owner.messages.list({ from: agentId })).data.length === 2);
    await end();
    const endedAt = performance.now();
    await owner.messages.send({ to: 'broadcast', body: SECRET });
    await owner.messages.send({ to: `id:${agentId}`, body: SECRET });
    expect(await streamed).not.toContain(SECRET);
    await Promise.all([peer.closed, idle.peer.closed, waiting, answered]);
    expect(await answered).toContain('unauthorized');
    // What waits here would wait for twenty seconds.
    expect(performance.now() - endedAt).toBeLessThan(10_000);
    expect(JSON.stringify(heard)).not.toContain(SECRET);
    expect(await httpCode(token, '/messages/cursor')).toBe('unauthorized');
  });

  test('ends its long polls, over HTTP and through the tools', async () => {
    const { token, agentId, end } = await begin(id('poller'));
    const polled = httpCode(token, `/agents/${agentId}/inbox?waitMs=20000`);
    // Requests that came later have been answered: the poll is being waited on.
    for (let round = 0; round < 3; round += 1) await rawRequest(`${relay.url}/api/health`);
    await end();
    const endedAt = performance.now();
    expect(await polled).toBe('unauthorized');
    // What waits here would wait for twenty seconds.
    expect(performance.now() - endedAt).toBeLessThan(10_000);
    expect(await mcpWait(token)).toContain('unauthorized');
  });
});

test('a machine whose token is revoked loses its link, and what it was asked to run is not answered over it any more', async () => {
  const link = await attachNode(relay.url, await nodeToken(relay.relay, 'lent'), 'lent machine');
  const { data } = await owner.tokens.list();
  await owner.tokens.revoke({ id: data.find(({ nodeId }) => nodeId === 'lent')?.tokenId ?? '' });
  const endedAt = performance.now();
  await link.peer.closed;
  expect(performance.now() - endedAt).toBeLessThan(10_000);
  await poll('the machine to be offline', async () =>
    (await owner.nodes.list()).data.some((node) => node.nodeId === 'lent' && node.status === 'offline'),
  );
});

test('a machine that a browser lent is gone when that browser logs out', async () => {
  const link = await attachNode(relay.url, await browserSession(), 'lent by a browser');
  const { data } = await owner.tokens.list();
  await owner.tokens.revoke({ id: data.find(({ kind }) => kind === 'browser')?.tokenId ?? '' });
  await link.peer.closed;
});

async function browserSession(): Promise<Record<string, string>> {
  const code = new URL(await relay.createLoginLink()).hash.slice(1);
  const session = await relay.relay.exchangeLoginCode(code);
  return { ...browserHeaders(relay.relay, session?.token ?? ''), origin: relay.url };
}

test('a program that fetches mail without a token fetches no more of it from the moment that its agent has one', async () => {
  for (const give of [
    (id: string) => owner.tokens.create({ name: id, kind: 'agent', agentId: id }),
    (id: string) => owner.agents.register({ id, name: id, withToken: true }),
  ]) {
    const id = `late-${give.toString().length}`;
    await owner.agents.register({ id, name: id });
    const heard: unknown[] = [];
    const anonymous = new JsonRpcPeer(await connectWebSocket(`${relay.url.replace('http', 'ws')}/ws`), {
      onNotification: (method, params) => void heard.push(method, params),
    });
    await anonymous.request('inbox/subscribe', { id });
    await give(id);
    await owner.messages.send({ to: `id:${id}`, body: SECRET });
    await poll('the subscription to end', () => heard.includes('subscription/ended'));
    expect(JSON.stringify(heard)).toContain('forbidden');
    expect(JSON.stringify(heard)).not.toContain(SECRET);
    expect(await codeOf(anonymous.request('inbox/list', { id }))).toBe('forbidden');
    await anonymous.close();
  }
});

test('a reader of server-sent events that takes nothing is cut off when its token ends', async () => {
  const { token, tokenId } = await owner.tokens.create({ name: 'slow', scopes: ['events:read'] });
  const { cursor } = await owner.messages.cursor();
  const body = 'x'.repeat(60_000);
  await Promise.all(Array.from({ length: 200 }, () => owner.messages.send({ to: 'owner', body })));
  const response = await fetch(`${relay.url}/api/events?after=${cursor}`, { headers: { authorization: `Bearer ${token}` } });
  const reader = response.body?.getReader();
  await reader?.read();
  await owner.tokens.revoke({ id: tokenId });
  let characters = 0;
  for (let part = await reader?.read().catch(() => null); part?.value; part = await reader?.read().catch(() => null))
    characters += part.value.length;
  expect(characters).toBeLessThan(200 * body.length);
});
