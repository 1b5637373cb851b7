import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { VERSION_HEADER } from 'agent-relay-protocol';
import type { McpEndpoint } from 'agent-relay-provider';
import { silentLog } from 'agent-relay-wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../../server/src/testing.ts';
import { ToolDoor } from '../src/tool-door.ts';

/** What lies between a machine and its relay: it passes requests on, loses answers, answers itself as proxies do, or is not there. */
class Network {
  lose = 0;
  asked = 0;
  isProxyAlone = false;
  readonly #relay: TestRelay;
  #server: Server | null = null;
  #port = 0;

  constructor(relay: TestRelay) {
    this.#relay = relay;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#port}`);
  }

  async up(): Promise<void> {
    const server = createServer((request, response) => void this.#pass(request, response));
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async down(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked += 1;
    if (this.isProxyAlone) return void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { authorization = '', 'idempotency-key': key = '' } = request.headers;
    const mcp = Object.entries(request.headers).filter(([name]) => name.startsWith('mcp-'));
    const headers = { 'content-type': 'application/json', authorization, 'idempotency-key': String(key), ...Object.fromEntries(mcp) };
    const answer = await fetch(`${this.#relay.url}${request.url}`, { method: 'POST', headers, body: Buffer.concat(chunks) });
    if (this.lose > 0) {
      this.lose -= 1;
      return void request.socket.destroy();
    }
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  }
}

let relay: TestRelay;
let network: Network;
let door: ToolDoor;
let tools: McpEndpoint;
let token: string;

beforeEach(async () => {
  relay = await startTestRelay();
  network = new Network(relay);
  await network.up();
  await using owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  token = (await owner.agents.register({ id: 'a', name: 'a', withToken: true })).token ?? '';
  await owner.agents.register({ id: 'b', name: 'b' });
  door = await ToolDoor.open({ url: network.url, fetch, log: silentLog, waitMs: 3_000 });
  tools = await door.admit('session', token);
});
afterEach(async () => {
  await door.close();
  await network.down();
  await relay.close();
});

const post = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(tools.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...tools.headers, ...headers },
    body: JSON.stringify(body),
  });

async function call(name: string, input: object) {
  const answer = await post({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name, arguments: input } });
  const { id, result } = (await answer.json()) as { id: number; result: { content: [{ text: string }]; isError?: boolean } };
  expect(id).toBe(7);
  return { text: result.content[0].text, isError: result.isError === true };
}

async function bodies(): Promise<readonly string[]> {
  await using owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  return (await owner.messages.list({ for: 'b' })).data.map(({ body }) => body);
}

test('a tool reaches the relay as its session', async () => {
  expect(await call('relay_send', { to: 'b', body: 'hello' })).toMatchObject({
    isError: false,
    text: expect.stringContaining('reached 1 agent'),
  });
  expect(await bodies()).toEqual(['hello']);
});

test('a call that finds no relay waits for it, and is done once', async () => {
  await network.down();
  const sent = call('relay_send', { to: 'b', body: 'during the outage' });
  await network.up();
  expect(await sent).toMatchObject({ isError: false });
  expect(await bodies()).toEqual(['during the outage']);
});

test.each([
  ['relay_send', { to: 'b', body: 'once' }],
  ['relay_send', { to: 'b', body: 'once', waitForAnswerMs: 10 }],
])('what was done although its answer was lost twice is done once: %s', async (name, input) => {
  network.lose = 2;
  expect(await call(name, input)).toMatchObject({ isError: false });
  expect(await bodies()).toEqual(['once']);
});

test('a reply and a word in a pair are no others', async () => {
  await using owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const { id } = await owner.messages.send({ from: 'b', to: 'a', body: 'who?' });
  network.lose = 1;
  expect(await call('relay_reply', { messageId: id, body: 'me' })).toMatchObject({ isError: false });
  const pair = await owner.pairs.request({ from: 'b', target: 'a', objective: 'talk' });
  await call('relay_pair', { action: 'accept', pairId: pair.id });
  network.lose = 1;
  expect(await call('relay_pair', { action: 'send', body: 'in the pair' })).toMatchObject({ isError: false });
  expect((await bodies()).filter((body) => body === 'me' || body === 'in the pair').sort()).toEqual(['in the pair', 'me']);
});

test('files are reserved once: whether it happened is said where nobody knows, and what is safe to ask again is asked again', async () => {
  await using owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  network.lose = 1;
  const wanted = { action: 'reserve', folder: '/w', patterns: ['a.ts'] };
  expect(await call('relay_reserve', wanted)).toEqual({ isError: true, text: expect.stringContaining('is not known') });
  const { data } = await owner.reservations.list({});
  expect(data).toMatchObject([{ agentId: 'a', patterns: ['a.ts'] }]);
  network.lose = 1;
  expect(await call('relay_reserve', { action: 'renew', reservationId: data[0]?.id })).toMatchObject({ isError: false });
  network.lose = 1;
  expect(await call('relay_reserve', { action: 'list' })).toEqual({ isError: false, text: expect.stringContaining('a.ts in /w') });
});

test('the words of a proxy that is alone are not the relay’s: the call waits', async () => {
  network.isProxyAlone = true;
  const sent = call('relay_send', { to: 'b', body: 'behind a proxy' });
  await expect.poll(() => bodies()).toEqual([]);
  network.isProxyAlone = false;
  expect(await sent).toMatchObject({ isError: false });
  expect(await bodies()).toEqual(['behind a proxy']);
});

test('a refusal of the relay is an answer, at once', async () => {
  expect(await call('relay_send', { to: 'id:nobody!', body: 'x' })).toMatchObject({
    isError: true,
    text: expect.stringContaining('validation_failed'),
  });
});

test('a relay that stays away: the agent is told whether it may have happened', async () => {
  await network.down();
  expect(await call('relay_send', { to: 'b', body: 'never' })).toEqual({
    isError: true,
    text: 'The relay is away, and this was not done. Try again later.',
  });
  await network.up();
  network.lose = Number.POSITIVE_INFINITY;
  const unknown = { isError: true, text: expect.stringContaining('is not known') };
  // Ending an agent twice is not ending it once, for it may have begun again: it is not even asked again.
  expect(await call('relay_release', { name: 'b' })).toEqual(unknown);
  expect(await call('relay_send', { to: 'b', body: 'perhaps' })).toEqual(unknown);
});

test('an agent that begins while the relay is away has its tools', async () => {
  await network.down();
  const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
  const first = (await (await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize })).json()) as { result: object };
  expect(first).toMatchObject({ id: 1, result: { serverInfo: { name: 'agent-relay' }, instructions: expect.stringContaining('agent a') } });
  const listed = (await (await post({ jsonrpc: '2.0', id: 2, method: 'tools/list' })).json()) as { result: { tools: { name: string }[] } };
  expect(listed.result.tools.map(({ name }) => name)).toContain('relay_reply');

  const stateless = async (method: string) => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
    return (await post({ jsonrpc: '2.0', id: 3, method, params: { _meta } }, headers)).json();
  };
  expect(await stateless('server/discover')).toMatchObject({ id: 3, result: { instructions: expect.stringContaining('agent a') } });
  expect(await stateless('tools/list')).toMatchObject({
    result: { tools: expect.arrayContaining([expect.objectContaining({ name: 'relay_reply' })]) },
  });
});

test('nobody else comes in', async () => {
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const status = async (headers: Record<string, string>) => (await post(ping, headers)).status;
  expect(await status({})).toBe(200);
  expect(await status({ authorization: 'Bearer wrong' })).toBe(401);
  expect(await status({ authorization: `Bearer ${token}` })).toBe(401);
  expect(await status({ origin: 'http://127.0.0.1:3000' })).toBe(403);
  const renamed = new URL(tools.url);
  renamed.hostname = 'localhost';
  expect((await fetch(renamed, { method: 'POST', headers: tools.headers, body: '{}' })).status).toBe(403);
  expect((await fetch(tools.url, { headers: tools.headers })).status).toBe(405);
  expect((await fetch(new URL('/api/agents', tools.url), { method: 'POST', headers: tools.headers, body: '{}' })).status).toBe(404);
  expect((await fetch(tools.url, { method: 'POST', headers: tools.headers, body: 'x'.repeat(2_000_000) })).status).toBe(413);
  door.dismiss('session');
  expect(await status({})).toBe(401);
});

test('what a session asks ends when it is dismissed, also while the relay is away', async () => {
  network.isProxyAlone = true;
  const asked = post({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'relay_agents', arguments: {} } });
  const before = network.asked;
  await expect.poll(() => network.asked).toBeGreaterThan(before);
  door.dismiss('session');
  expect((await asked).status).toBe(401);
});

test('a relay that points elsewhere has this machine ask nothing there', async () => {
  let reached = 0;
  const inside = createServer((_request, response) => {
    reached += 1;
    response
      .writeHead(200, { 'content-type': 'application/json', [VERSION_HEADER]: '1.0.0' })
      .end('{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}');
  });
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  const { port } = inside.address() as AddressInfo; // it listens on TCP
  const pointing = createServer((_request, response) =>
    response.writeHead(307, { location: `http://127.0.0.1:${port}/admin`, [VERSION_HEADER]: '1.0.0' }).end(),
  );
  await new Promise<void>((resolve) => pointing.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(pointing.address() as AddressInfo).port}`); // as above
  const other = await ToolDoor.open({ url, fetch, log: silentLog, waitMs: 500 });
  const { url: at, headers } = await other.admit('session', token);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'relay_agents', arguments: {} } });
  const answer = await fetch(at, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body });
  expect([answer.status, reached]).toEqual([307, 0]);
  await other.close();
  for (const server of [pointing, inside]) {
    server.closeAllConnections();
    server.close();
  }
});
