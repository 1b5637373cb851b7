import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { type CreateToken, MCP_PATH, RelayError, type Scope } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { poll } from './support/poll.ts';
import { rawRequest } from './support/raw-http.ts';

let relay: TestRelay;
let owner: RelayClient;

beforeAll(async () => {
  relay = await startTestRelay({ settings: { REAP_INTERVAL_MS: '20' } });
  owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  for (const id of ['Worker', 'Other', 'Free']) await owner.agents.register({ id, name: id, tags: ['team'] });
  await owner.agents.register({ id: 'Guarded', name: 'Guarded', withToken: true });
});
afterAll(async () => {
  await owner.close();
  await relay.close();
});

const tokenWith = async (request: Omit<CreateToken, 'name'>) => (await owner.tokens.create({ name: 'test', ...request })).token;

async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    if (error instanceof RelayError) return error.code;
    throw error;
  }
}

/** What a token gets for the same thing over each transport. */
async function everywhere(token: string, name: string, path: string, input: object, method = 'GET') {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = method === 'GET' ? {} : { body: JSON.stringify(input) };
  const http = await rawRequest(`${relay.url}/api${path}`, { method, headers, ...body });
  const peer = await socketWith(token);
  const overSocket = await outcome(peer.request(name, input));
  await peer.close();
  return { http: (http.body as { error?: { code: string } }).error?.code ?? 'ok', socket: overSocket };
}

const socketWith = async (token: string): Promise<JsonRpcPeer> =>
  new JsonRpcPeer(await connectWebSocket(`${relay.url.replace('http', 'ws')}/ws`, { headers: { authorization: `Bearer ${token}` } }));

const sse = (token: string) => rawStatus(`${relay.url}/api/events`, token);

async function rawStatus(url: string, token: string): Promise<number> {
  const stop = new AbortController();
  const { status } = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: stop.signal });
  stop.abort();
  return status;
}

async function tool(token: string, name: string, input: Record<string, unknown>): Promise<string> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(relay.url + MCP_PATH), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  // The SDK's transport types its callbacks as optional in another way than its interface does.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  const result = await client.callTool({ name, arguments: input });
  await client.close();
  return JSON.stringify(result.content);
}

describe('scopes', () => {
  const reads: readonly [Scope, string, string][] = [
    ['stats:read', 'system/stats', '/stats'],
    ['health:read', 'system/health', '/health'],
    ['agents:read', 'agents/list', '/agents'],
    ['messages:read', 'messages/list', '/messages'],
    ['sessions:read', 'sessions/list', '/sessions'],
    ['nodes:read', 'nodes/list', '/nodes'],
  ];

  test.each(reads)('%s, and nothing else, lets a token read %s', async (scope, name, path) => {
    const others = reads.map(([other]) => other).filter((other) => other !== scope);
    expect(await everywhere(await tokenWith({ scopes: [scope] }), name, path, {})).toEqual({ http: 'ok', socket: 'ok' });
    expect(await everywhere(await tokenWith({ scopes: others }), name, path, {})).toEqual({
      http: 'forbidden_scope',
      socket: 'forbidden_scope',
    });
  });

  test('the refusal names the scope that is missing', async () => {
    const client = createNodeRelayClient({ url: relay.url, token: await tokenWith({ scopes: ['agents:read'] }) });
    const sending = client.messages.send({ from: 'script', to: 'Worker', body: 'x' });
    await expect(sending).rejects.toMatchObject({ code: 'forbidden_scope', details: { scope: 'messages:write' } });
    expect((await client.system.me()).type).toBe('token');
    await client.close();
  });

  test('the event stream needs events:read, over SSE and over the socket', async () => {
    const [good, bad] = [await tokenWith({ scopes: ['events:read'] }), await tokenWith({ scopes: ['messages:read'] })];
    expect([await sse(good), await sse(bad)]).toEqual([200, 403]);
    for (const [token, expected] of [
      [good, 'ok'],
      [bad, 'forbidden_scope'],
    ] as const) {
      const peer = await socketWith(token);
      expect(await outcome(peer.request('events/subscribe', {}))).toBe(expected);
      await peer.close();
    }
  });

  test('tools need the scopes of the routes behind them', async () => {
    const token = await tokenWith({ kind: 'agent', agentId: 'Tooled', scopes: ['agents:read', 'messages:write'] });
    expect(await tool(token, 'relay_agents', {})).toContain('Worker');
    expect(await tool(token, 'relay_inbox', {})).toContain('forbidden_scope');
    expect(await tool(token, 'relay_send', { to: 'Worker', body: 'hello' })).toContain('[msg:');
    const before = (await owner.messages.cursor()).cursor;
    expect(await tool(token, 'relay_send', { to: 'Worker', body: 'hello', waitForAnswerMs: 10 })).toContain('events:read');
    expect((await owner.messages.cursor()).cursor).toBe(before);
  });

  test('what is the owner’s needs the whole of *: narrowed, it makes no tokens', async () => {
    const whole = createNodeRelayClient({ url: relay.url, token: await tokenWith({ scopes: ['*'] }) });
    expect(await outcome(whole.tokens.create({ name: 'child', scopes: ['stats:read'] }))).toBe('ok');
    expect(await outcome(whole.messages.send({ to: 'Worker', body: 'as the owner' }))).toBe('ok');
    for (const request of [{ scopes: ['*'] as Scope[], targets: ['Worker'] }, { scopes: ['nodes:write'] as Scope[] }]) {
      const narrow = createNodeRelayClient({ url: relay.url, token: await tokenWith(request) });
      expect(await outcome(narrow.tokens.create({ name: 'child', scopes: ['*'] }))).toBe('forbidden_scope');
      await narrow.close();
    }
    await whole.close();
  });
});

describe('targets and channels', () => {
  test('an allow-list of targets is held over HTTP and the socket, and the refusal names the address', async () => {
    const token = await tokenWith({ scopes: ['messages:write'], targets: ['Worker', 'tag:team'] });
    const send = (to: string) => everywhere(token, 'messages/send', '/messages', { from: 'script', to, body: 'x' }, 'POST');
    expect(await send('Worker')).toEqual({ http: 'ok', socket: 'ok' });
    expect(await send('id:Worker')).toEqual({ http: 'ok', socket: 'ok' });
    expect(await send('tag:team')).toEqual({ http: 'ok', socket: 'ok' });
    for (const to of ['Other', 'broadcast', '#ops', 'owner']) {
      expect(await send(to)).toEqual({ http: 'forbidden_target', socket: 'forbidden_target' });
    }
    const client = createNodeRelayClient({ url: relay.url, token });
    await expect(client.messages.send({ from: 'script', to: 'Other', body: 'x' })).rejects.toMatchObject({
      details: { target: 'id:Other' },
    });
    await client.close();
  });

  test('an answer goes to whoever wrote: it is held to the targets as well', async () => {
    const mail = await owner.messages.send({ from: 'Other', to: 'Worker', body: 'a question' });
    const token = await tokenWith({ kind: 'agent', agentId: 'Worker', targets: ['owner'] });
    expect(await everywhere(token, 'messages/send', '/messages', { replyTo: mail.id, body: 'x' }, 'POST')).toEqual({
      http: 'forbidden_target',
      socket: 'forbidden_target',
    });
  });

  test('an allow-list of channels', async () => {
    const token = await tokenWith({ scopes: ['messages:write'], targets: ['Worker'], channels: ['alerts'] });
    const send = (input: object) => everywhere(token, 'messages/send', '/messages', { from: 'script', body: 'x', ...input }, 'POST');
    expect((await send({ to: '#alerts' })).http).toBe('ok');
    expect((await send({ to: 'Worker', channel: 'alerts' })).http).toBe('ok');
    expect((await send({ to: 'Worker', channel: 'deploy' })).http).toBe('forbidden_target');
    expect((await send({ to: '#deploy' })).http).toBe('forbidden_target');
  });

  test('a token may start and end only agents it may address', async () => {
    const client = createNodeRelayClient({
      url: relay.url,
      token: await tokenWith({ scopes: ['sessions:write'], targets: ['Worker'] }),
    });
    expect(await outcome(client.sessions.start({ name: 'Elsewhere', provider: 'claude' }))).toBe('forbidden_target');
    expect(await outcome(client.agents.release({ id: 'Other' }))).toBe('forbidden_target');
    await client.close();
  });
});

describe('who a token acts as', () => {
  test('an agent’s token acts only as that agent, in every epoch', async () => {
    const client = createNodeRelayClient({ url: relay.url, token: await tokenWith({ kind: 'agent', agentId: 'Mine' }) });
    for (const instanceId of ['one', 'two']) await client.agents.register({ id: 'Mine', name: 'Mine', instanceId });
    expect((await client.agents.get({ id: 'Mine' })).epoch).toBe(2);
    const sent = await client.messages.send({ to: 'Worker', body: 'x' });
    expect(sent).toMatchObject({ from: 'Mine', sender: { relation: 'peer', principal: 'token:test' } });
    expect(await outcome(client.messages.send({ from: 'Worker', to: 'Mine', body: 'x' }))).toBe('forbidden');
    expect(await outcome(client.agents.label({ id: 'Worker', label: 'x' }))).toBe('forbidden');
    expect(await outcome(client.inbox.list({ id: 'Worker' }))).toBe('forbidden');
    expect(await outcome(client.inbox.list({ id: 'Mine' }))).toBe('ok');
    await client.close();
  });

  test('a scoped token names who it speaks as, proves nothing by it, and cannot name an agent that has a token', async () => {
    const client = createNodeRelayClient({ url: relay.url, token: await tokenWith({ scopes: ['messages:write'] }) });
    expect((await client.messages.send({ from: 'Free', to: 'Other', body: 'x' })).sender.relation).toBe('claimed');
    expect(await outcome(client.messages.send({ to: 'Other', body: 'x' }))).toBe('validation_failed');
    expect(await outcome(client.messages.send({ from: 'owner', to: 'Other', body: 'x' }))).toBe('forbidden');
    expect(await outcome(client.messages.send({ from: 'Guarded', to: 'Other', body: 'x' }))).toBe('forbidden');
    await client.close();
  });

  test('an observer reads, and changes nothing: it may look at mail and is not handed any', async () => {
    const client = createNodeRelayClient({ url: relay.url, token: await tokenWith({ kind: 'observer' }) });
    const { id } = await owner.messages.send({ to: 'Free', body: 'x' });
    expect((await client.messages.get({ id })).body).toBe('x');
    expect(await outcome(client.inbox.list({ id: 'Free' }))).toBe('forbidden_scope');
    expect((await client.inbox.list({ id: 'Free', peek: true })).data.map(({ message }) => message.id)).toContain(id);
    expect(await outcome(client.messages.send({ from: 'x', to: 'Free', body: 'x' }))).toBe('forbidden_scope');
    expect(await outcome(client.messages.read({ id, agentId: 'Free' }))).toBe('forbidden_scope');
    const peer = await socketWith(await tokenWith({ kind: 'observer' }));
    expect(await outcome(peer.request('inbox/subscribe', { id: 'Free' }))).toBe('forbidden_scope');
    await peer.close();
    await client.close();
  });

  test("a channel's token speaks as that channel and for its people, and starts nothing", async () => {
    const client = createNodeRelayClient({ url: relay.url, token: await tokenWith({ kind: 'channel', agentId: 'phone' }) });
    await using channel = await client.channel({ id: 'phone', name: 'phone', transport: 'sms' });
    await channel.bind({ conversationId: '1', target: 'Worker' });
    const { messages } = await channel.receive({ conversationId: '1', body: 'x', sender: { id: 'u', name: 'Ann' }, externalId: '1' });
    expect(messages[0]?.sender.relation).toBe('channel');
    expect(await outcome(client.approvals.list())).toBe('ok');
    expect(await outcome(client.approvals.resolve({ id: 'Worker', approvalId: 'none', outcome: 'allow' }))).toBe('not_found');
    expect(await outcome(client.sessions.start({ name: 'New', provider: 'claude' }))).toBe('forbidden_scope');
    expect(await outcome(client.messages.send({ from: 'Worker', to: 'Mine', body: 'x' }))).toBe('forbidden');
    await client.close();
  });

  test.each([
    [{ kind: 'scoped' }, 'scopes'],
    [{ kind: 'observer', scopes: ['messages:write'] }, 'scopes'],
    [{ kind: 'agent' }, 'agentId'],
    [{ kind: 'agent', agentId: 'x', scopes: ['*'] }, 'scopes'],
    [{ kind: 'agent', agentId: 'relay' }, 'agentId'],
    [{ kind: 'agent', agentId: 'x', scopes: ['approvals:write'] }, 'scopes'],
    [{ kind: 'channel' }, 'agentId'],
    [{ kind: 'channel', agentId: 'x', scopes: ['sessions:write'] }, 'scopes'],
    [{ kind: 'scoped', scopes: ['stats:read'], agentId: 'x' }, 'agentId'],
  ] as const)('%o is refused at %s', async (request, path) => {
    const scopes = 'scopes' in request ? { scopes: [...request.scopes] } : {};
    const making = owner.tokens.create({ name: 'wrong', ...request, ...scopes } as CreateToken); // some of them are wrong on purpose
    await expect(making).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path }] });
  });
});

describe('the life of a token', () => {
  test('it is listed without itself, kept as a hash, and gone after it is revoked', async () => {
    const created = await owner.tokens.create({ name: 'short', scopes: ['stats:read'], targets: ['Worker'] });
    const { token, ...listed } = created;
    const { data } = await owner.tokens.list();
    expect(data).toContainEqual(listed);
    expect(JSON.stringify(data)).not.toContain(token);
    expect(await rawStatus(`${relay.url}/api/stats`, token)).toBe(200);
    await owner.tokens.revoke({ id: created.tokenId });
    expect(await rawStatus(`${relay.url}/api/stats`, token)).toBe(401);
    expect(await outcome(owner.tokens.revoke({ id: created.tokenId }))).toBe('not_found');
    expect((await owner.tokens.list()).data.map(({ tokenId }) => tokenId)).not.toContain(created.tokenId);
  });

  test('revoking ends the sockets and streams it holds open', async () => {
    const { token, tokenId } = await owner.tokens.create({ name: 'live', scopes: ['events:read', 'stats:read'] });
    const peer = await socketWith(token);
    const stream = await fetch(`${relay.url}/api/events`, { headers: { authorization: `Bearer ${token}` } });
    const ended = stream.text();
    await owner.tokens.revoke({ id: tokenId });
    await peer.closed;
    expect(await ended).toContain('retry:');
  });

  test('one that has run out opens nothing, and what it held open ends', async () => {
    const { token } = await owner.tokens.create({ name: 'brief', scopes: ['events:read', 'stats:read'], expiresInMs: 1000 });
    const peer = await socketWith(token);
    const stream = await fetch(`${relay.url}/api/events`, { headers: { authorization: `Bearer ${token}` } });
    await peer.closed;
    await stream.text();
    expect(await rawStatus(`${relay.url}/api/stats`, token)).toBe(401);
    await poll('the token leaves the list', async () => (await owner.tokens.list()).data.every(({ name }) => name !== 'brief'));
  });

  test('a new session of an agent ends its session tokens, not the one a person made for it', async () => {
    const personal = await tokenWith({ kind: 'agent', agentId: 'Kept', scopes: ['stats:read'] });
    const session = await owner.agents.register({ id: 'Kept', name: 'Kept', instanceId: 'one', withToken: true });
    await owner.agents.register({ id: 'Kept', name: 'Kept', instanceId: 'two' });
    expect(await rawStatus(`${relay.url}/api/stats`, session.token ?? '')).toBe(401);
    expect(await rawStatus(`${relay.url}/api/stats`, personal)).toBe(200);
  });
});
