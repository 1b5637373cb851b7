import { createNodeRelayClient } from 'agent-relay-client/node';
import type { PairingOffer, PairingOutcome, RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { pairedMachine, startTestRelay } from '../src/testing.ts';
import { codeOf } from './core/world.ts';
import { attachNode } from './support/fake-node.ts';
import { openServer } from './support/open-server.ts';
import { poll } from './support/poll.ts';
import { rawRequest } from './support/raw-http.ts';

async function start() {
  const relay = await startTestRelay();
  const owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const written = typeof body === 'string' ? body : JSON.stringify(body);
    return rawRequest(`${relay.url}/api/node-pairings${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: written,
    });
  };
  const request = async (name = 'laptop') => (await post('', { name, version: '9' })).body as PairingOffer; // as the endpoint says
  const outcome = async (secret: string) => (await post('/outcome', { secret })).body as PairingOutcome; // likewise
  /** A machine that was let in, with its token. */
  const pair = async (name = 'laptop') => {
    const { code, secret } = await request(name);
    const node = await owner.nodes.pair({ code });
    const answer = await outcome(secret);
    if (answer.status !== 'accepted') throw new Error(answer.status);
    return { node, secret, token: answer.token };
  };
  const events = async (type: RelayEvent['type']) => {
    const { entries } = await relay.relay.core.store.log.read(0, 10_000);
    return entries.flatMap((entry) => entry.events()).filter((event) => event.type === type);
  };
  const close = async () => {
    await owner.close();
    await relay.close();
  };
  return { relay, owner, post, request, outcome, pair, events, [Symbol.asyncDispose]: close };
}

test('a machine asks without a token, and gets its own when somebody accepts its code', async () => {
  await using world = await start();
  const { owner, events } = world;
  const { code, secret } = await world.request();
  expect(code).toMatch(/^[2-9C-Y]{4}-[2-9C-Y]{4}$/u);
  expect((await owner.nodes.pairings()).data).toMatchObject([{ code, name: 'laptop', version: '9', address: '127.0.0.1' }]);
  expect(await world.outcome(secret)).toMatchObject({ status: 'pending' });
  const node = await owner.nodes.pair({ code: code.toLowerCase() });
  expect(node).toMatchObject({ name: 'laptop', status: 'offline', version: '9', providers: [] });
  expect(node.nodeId).toMatch(/^machine-[0-9a-f]{8}$/u);
  expect((await owner.nodes.pairings()).data).toEqual([]);
  const answer = await world.outcome(secret);
  expect(answer).toEqual({ status: 'accepted', token: expect.stringMatching(/^ar_node_/u), nodeId: node.nodeId, name: 'laptop' });
  expect(await events('node.paired')).toMatchObject([{ node: { nodeId: node.nodeId }, by: 'owner' }]);
  expect(await events('token.created')).toMatchObject([
    { token: { kind: 'node', nodeId: node.nodeId, name: 'laptop', createdBy: null }, by: 'owner' },
  ]);
});

test('nobody fetches a token that has been used', async () => {
  await using world = await start();
  const { secret, token } = await world.pair();
  const lost = await world.outcome(secret);
  expect(lost).toMatchObject({ token });
  await rawRequest(`${world.relay.url}/api/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(await world.outcome(secret)).toMatchObject({ error: { code: 'not_found' } });
});

test('a machine attaches as the one that was paired, whatever it calls itself, and keeps the name it was given', async () => {
  await using world = await start();
  const { relay, owner } = world;
  const local = await attachNode(relay.url, relay.ownerToken, 'laptop');
  const { node, token } = await world.pair();
  expect(node.name).toBe('laptop-2');
  const link = await attachNode(relay.url, token, 'laptop');
  expect(link.nodeId).toBe(node.nodeId);
  expect((await owner.nodes.list()).data).toMatchObject([
    { nodeId: 'local', name: 'laptop', status: 'online' },
    { nodeId: node.nodeId, name: 'laptop-2', status: 'online' },
  ]);
  await owner.nodes.rename({ id: node.nodeId, name: 'desk' });
  expect((await owner.nodes.list()).data[1]).toMatchObject({ name: 'desk', status: 'online' });
  expect((await owner.tokens.list()).data).toMatchObject([{ kind: 'node', name: 'desk' }]);
  const again = await attachNode(relay.url, token, 'local');
  expect((await owner.nodes.list()).data[1]).toMatchObject({ nodeId: node.nodeId, name: 'desk' });
  expect(await codeOf(owner.nodes.rename({ id: node.nodeId, name: 'laptop' }))).toBe('name_taken');
  expect(await codeOf(owner.nodes.rename({ id: 'local', name: 'other' }))).toBe('unsupported');
  await Promise.all([local, link, again].map(({ peer }) => peer.close()));
});

test('a machine that is removed loses its token, its link and its agents at once, and does not come back', async () => {
  await using world = await start();
  const { relay, owner, events } = world;
  const { node, token } = await world.pair();
  const link = await attachNode(relay.url, token, 'laptop');
  await owner.sessions.start({ name: 'worker', provider: 'claude', node: node.nodeId });
  const itsToken = link.tokens.get('worker') ?? '';
  await owner.nodes.remove({ id: node.nodeId });
  expect((await owner.nodes.list()).data).toEqual([]);
  expect((await owner.tokens.list()).data).toEqual([]);
  expect((await owner.sessions.list({ agent: 'worker' })).data).toMatchObject([
    { status: 'ended', reason: 'The token of its machine was revoked' },
  ]);
  await link.peer.closed;
  for (const ended of [token, itsToken]) {
    const { status } = await rawRequest(`${relay.url}/api/me`, { headers: { authorization: `Bearer ${ended}` } });
    expect(status).toBe(401);
  }
  await expect(attachNode(relay.url, token, 'laptop')).rejects.toMatchObject({ code: 'unauthorized' });
  expect((await owner.nodes.list()).data).toEqual([]);
  expect(await events('node.removed')).toMatchObject([{ node: { nodeId: node.nodeId, status: 'offline' }, by: 'owner' }]);
  expect(await events('token.revoked')).toMatchObject([{ token: { nodeId: node.nodeId }, by: 'owner' }]);
  expect(await codeOf(owner.nodes.remove({ id: node.nodeId }))).toBe('not_found');
});

test('the agents of a machine whose token is revoked end, and their tokens with them', async () => {
  await using world = await start();
  const { relay, owner } = world;
  const { node, token } = await world.pair();
  const link = await attachNode(relay.url, token, 'laptop');
  await owner.sessions.start({ name: 'worker', provider: 'claude', node: node.nodeId });
  const { data } = await owner.tokens.list();
  await owner.tokens.revoke({ id: data.find(({ kind }) => kind === 'node')?.tokenId ?? '' });
  await poll('its agent to end', async () => (await owner.sessions.list({ agent: 'worker' })).data[0]?.status === 'ended');
  const { status } = await rawRequest(`${relay.url}/api/me`, { headers: { authorization: `Bearer ${link.tokens.get('worker')}` } });
  expect(status).toBe(401);
  await link.peer.closed;
});

test('an owner’s machine is removed when it is away only', async () => {
  await using world = await start();
  const { relay, owner } = world;
  const link = await attachNode(relay.url, relay.ownerToken, 'laptop');
  expect(await codeOf(owner.nodes.remove({ id: 'local' }))).toBe('busy');
  await link.peer.close();
  await poll('it to be gone', async () => (await owner.nodes.list()).data[0]?.status === 'offline');
  await owner.nodes.remove({ id: 'local' });
  expect((await owner.nodes.list()).data).toEqual([]);
});

test('a machine that was stolen is no owner and no other machine', async () => {
  await using world = await start();
  const { relay, owner } = world;
  const thief = await pairedMachine(relay.relay, 'stolen');
  const victim = await pairedMachine(relay.relay, 'victim');
  const link = await attachNode(relay.url, victim.token, 'victim');
  await owner.sessions.start({ name: 'private', provider: 'claude', node: victim.nodeId });
  const { id } = await owner.messages.send({ to: 'id:private', body: 'secret' });
  const stolen = await attachNode(relay.url, thief.token, 'victim');
  expect(stolen.nodeId).toBe(thief.nodeId);
  const [session] = (await owner.sessions.list({ agent: 'private' })).data;
  const attempts = {
    'sessions/start': { name: 'mine', provider: 'claude' },
    'tokens/list': {},
    'tokens/create': { name: 'mine', scopes: ['*'] },
    'login/create': {},
    'nodes/pairings': {},
    'nodes/pair': { code: '2222-2222' },
    'nodes/remove': { id: victim.nodeId },
    'messages/get': { id },
    'inbox/list': { id: 'private' },
    'agents/activity': { id: 'private' },
    'agents/release': { id: 'private' },
    'inbox/subscribe': { id: 'private' },
    'sessions/report': { sessionId: session?.sessionId, status: 'ended' },
    'activity/append': { sessionId: session?.sessionId, entries: [{ seq: 1, at: 1, event: { type: 'turn.started', turnId: 't' } }] },
  };
  const answers: Record<string, string> = {};
  for (const [method, params] of Object.entries(attempts)) answers[method] = await codeOf(stolen.peer.request(method, params));
  expect(answers).toEqual({
    'sessions/start': 'forbidden',
    'tokens/list': 'forbidden_scope',
    'tokens/create': 'forbidden_scope',
    'login/create': 'forbidden_scope',
    'nodes/pairings': 'forbidden_scope',
    'nodes/pair': 'forbidden_scope',
    'nodes/remove': 'forbidden_scope',
    'messages/get': 'not_found',
    'inbox/list': 'forbidden',
    'agents/activity': 'forbidden',
    'agents/release': 'forbidden',
    'inbox/subscribe': 'forbidden',
    'sessions/report': 'not_found',
    'activity/append': 'not_found',
  });
  expect(await codeOf(stolen.peer.request('auth/authenticate', { token: victim.token }))).toBe('forbidden');
  expect(await codeOf(link.peer.request('nodes/heartbeat', { sessions: [] }))).toBe('none');
  await Promise.all([link.peer.close(), stolen.peer.close()]);
});

test('what machines send is answered with a code, whatever it is, and a page pairs none', async () => {
  await using world = await start();
  const bodies = [
    '',
    '[]',
    '{',
    'null',
    '{"name":"a\\u0007b","version":"1"}',
    '{"name":"x"}',
    `{"name":"${'x'.repeat(129)}","version":"1"}`,
  ];
  for (const body of bodies) expect([body, (await world.post('', body)).status]).toEqual([body, 400]);
  expect((await world.post('', { name: 'x', version: '1', later: true })).status).toBe(201);
  for (const body of ['', '{}', '{"secret":7}']) expect((await world.post('/outcome', body)).status).toBe(400);
  expect((await world.post('/outcome', { secret: 'x' })).status).toBe(404);
  expect((await world.post('', { name: 'x', version: '1' }, { origin: world.relay.url })).status).toBe(403);
  expect((await rawRequest(`${world.relay.url}/api/node-pairings`)).status).toBe(405);
});

test('it is open to machines where programs need a token, and to no page of an allowed origin', async () => {
  await using server = await openServer({ requireToken: true, corsOrigins: ['*'] });
  const ask = (headers: Record<string, string>) =>
    rawRequest(`${server.url}/api/node-pairings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ name: 'far', version: '1' }),
    });
  expect((await ask({})).status).toBe(201);
  expect((await ask({ 'x-forwarded-for': '203.0.113.9' })).status).toBe(201);
  expect((await ask({ origin: 'https://board.example' })).status).toBe(403);
});
