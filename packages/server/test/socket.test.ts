import { MAX_REQUEST_BYTES, RelayError } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type OpenServer, OWNER_TOKEN, openServer } from './support/open-server.ts';
import { poll } from './support/poll.ts';
import { rawRequest } from './support/raw-http.ts';

interface Notice {
  readonly method: string;
  readonly params: unknown;
}

interface Client extends AsyncDisposable {
  readonly peer: JsonRpcPeer;
  readonly notices: Notice[];
}

async function openClient(server: OpenServer, token: string | null = OWNER_TOKEN, headers: Record<string, string> = {}): Promise<Client> {
  const notices: Notice[] = [];
  const duplex = await connectWebSocket(`${server.url.replace('http', 'ws')}/ws`, {
    headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
  });
  const peer = new JsonRpcPeer(duplex, {
    onNotification: (method, params) => void notices.push({ method, params }),
    onRequest: (method) => {
      if (method === 'session/interrupt') return { interrupted: true };
      throw new RelayError('unknown_method', method);
    },
  });
  return { peer, notices, [Symbol.asyncDispose]: () => peer.close() };
}

async function openRaw(server: OpenServer, token: string | null = OWNER_TOKEN, headers: Record<string, string> = {}): Promise<WebSocket> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws`, {
    headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

const nextFrame = (socket: WebSocket): Promise<unknown> =>
  new Promise((resolve) => socket.once('message', (data) => resolve(JSON.parse(String(data)))));
const closeCode = (socket: WebSocket): Promise<number> => new Promise((resolve) => socket.once('close', resolve));
const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof RelayError ? error.code : String(error)),
  );

describe('the socket', () => {
  test('routes are methods, with the same inputs, outputs and refusals', async () => {
    await using server = await openServer();
    await using client = await openClient(server);
    expect(await client.peer.request('messages/send', { to: 'owner', body: 'hello' })).toMatchObject({ id: 1, matched: 1 });
    expect(await client.peer.request('system/me')).toEqual({ type: 'owner', workspace: 'default' });
    const refusals = await Promise.all([
      failure(client.peer.request('messages/send', { to: 'owner', body: '', more: 1 })),
      failure(client.peer.request('messages/send', ['owner', 'hello'])),
      failure(client.peer.request('messages/fly', {})),
      failure(client.peer.request('agents/get', { id: 'nobody' })),
      failure(client.peer.request('agents/remove', { id: 'bug' })),
    ]);
    expect(refusals).toEqual(['validation_failed', 'validation_failed', 'unknown_method', 'not_found', 'internal']);
    expect(server.logged).toHaveLength(1);
  });

  test('an agent or nobody may do there what they may over HTTP', async () => {
    await using server = await openServer();
    await using nobody = await openClient(server, null);
    expect(await nobody.peer.request('system/me')).toEqual({ type: 'anonymous', workspace: 'default' });
    expect(await failure(nobody.peer.request('sessions/start', { name: 'x', provider: 'claude' }))).toBe('unauthorized');
    expect(await failure(nobody.peer.request('nodes/heartbeat', { sessions: [] }))).toBe('forbidden');
    expect(await failure(nobody.peer.request('auth/authenticate', { token: 'nonsense' }))).toBe('unauthorized');
    expect(await nobody.peer.request('auth/authenticate', { token: OWNER_TOKEN })).toEqual({ type: 'owner', workspace: 'default' });
    server.relay.tokens.set('agent', { type: 'agent', workspace: 'default', agentId: 'A', epoch: 1 });
    expect(await failure(nobody.peer.request('auth/authenticate', { token: 'agent' }))).toBe('forbidden');
  });

  test('a page without a credential names itself in time, or is closed', async () => {
    await using server = await openServer({ authenticateWithinMs: 150 });
    const page = { origin: server.url };
    await using named = await openClient(server, null, page);
    expect(await failure(named.peer.request('system/me'))).toBe('unauthorized');
    await named.peer.request('auth/authenticate', { token: OWNER_TOKEN });
    const silent = await openRaw(server, null, page);
    expect(await closeCode(silent)).toBe(4401);
    expect(await named.peer.request('system/me')).toMatchObject({ type: 'owner' });
  });

  test('a subscription brings everything after its cursor, in order, until it is ended', async () => {
    await using server = await openServer();
    await using client = await openClient(server);
    for (let count = 0; count < 120; count += 1) server.relay.append('before');
    const { subscriptionId } = (await client.peer.request('events/subscribe', { after: 20 })) as { subscriptionId: string };
    for (let count = 0; count < 30; count += 1) server.relay.append('after');
    const seen = () => client.notices.flatMap(({ params }) => (params as { events: { seq: number }[] }).events.map((event) => event.seq));
    await poll('all events', () => seen().length === 130);
    expect(seen()).toEqual(Array.from({ length: 130 }, (_, index) => index + 21));
    expect(await client.peer.request('events/unsubscribe', { subscriptionId })).toEqual({});
    server.relay.append('unheard');
    expect(await failure(client.peer.request('events/unsubscribe', { subscriptionId }))).toBe('not_found');
    expect(seen()).toHaveLength(130);
  });

  test('the answer to a subscription leaves before its first notification', async () => {
    await using server = await openServer();
    server.relay.append('waiting');
    const socket = await openRaw(server);
    const frames: object[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    socket.send('{"id":1,"method":"events/subscribe","params":{"after":0}}');
    await poll('both frames', () => frames.length === 2);
    expect(frames.map((frame) => Object.keys(frame))).toEqual([
      ['jsonrpc', 'id', 'result'],
      ['jsonrpc', 'method', 'params'],
    ]);
    socket.close();
  });

  test('a cursor that cannot be continued is told once, and ends the subscription', async () => {
    await using server = await openServer();
    await using client = await openClient(server);
    const { subscriptionId } = (await client.peer.request('events/subscribe', { after: 99 })) as { subscriptionId: string };
    await poll('the reset', () => client.notices.length > 0);
    expect(await failure(client.peer.request('events/unsubscribe', { subscriptionId }))).toBe('not_found');
    expect(client.notices).toEqual([
      { method: 'events/reset', params: { subscriptionId, reset: { reason: 'ahead', oldest: 1, head: 0, generation: 'g1' } } },
    ]);
  });

  test('refused subscriptions cost nothing, and one socket follows a bounded number', async () => {
    await using server = await openServer();
    await using client = await openClient(server);
    for (let count = 0; count < 70; count += 1) {
      expect(await failure(client.peer.request('inbox/subscribe', { id: 'A' }))).toBe('inbox_taken');
    }
    const answers = await Promise.all(Array.from({ length: 65 }, () => failure(client.peer.request('events/subscribe', {}))));
    expect(answers.filter((answer) => answer !== 'no error')).toEqual(['overloaded']);
  });

  test('an owner who lends a machine speaks as its node from then on, and the relay hears of the end', async () => {
    await using server = await openServer();
    const node = await openClient(server);
    const attach = { name: 'local', version: '1', protocol: 1, providers: [], sessions: [] };
    expect(await node.peer.request('nodes/attach', attach)).toEqual({ nodeId: 'n1', sessions: [] });
    expect(await node.peer.request('system/me')).toEqual({ type: 'node', workspace: 'default', nodeId: 'n1' });
    // The relay calls the node while it answers it.
    expect(await node.peer.request('sessions/report', { sessionId: 's', status: 'running' })).toEqual({});
    await node.peer.close();
    await poll('the relay was told', () => server.relay.detached.length === 1);
  });

  test('a drain closes sockets with 1001', async () => {
    await using server = await openServer();
    const socket = await openRaw(server);
    const code = closeCode(socket);
    await server.drain();
    expect(await code).toBe(1001);
  });
});

describe('abuse', () => {
  test('what is no JSON-RPC is answered, and the socket goes on', async () => {
    await using server = await openServer();
    const socket = await openRaw(server);
    const frames = ['{"method":', '42', 'null', '[]', '{"jsonrpc":"1.0","id":1,"method":"system/me"}', '{"id":{},"method":"system/me"}'];
    const codes: unknown[] = [];
    for (const frame of frames) {
      const answer = nextFrame(socket);
      socket.send(frame);
      codes.push(((await answer) as { error: { code: number } }).error.code);
    }
    expect(codes).toEqual([-32700, -32600, -32600, -32600, -32600, -32600]);
    const answer = nextFrame(socket);
    socket.send('{"id":1,"method":"system/me"}');
    expect(await answer).toMatchObject({ id: 1, result: { type: 'owner' } });
    socket.close();
  });

  test('a batch is answered as one, an endless one not at all', async () => {
    await using server = await openServer();
    const socket = await openRaw(server);
    const two = nextFrame(socket);
    socket.send('[{"id":1,"method":"system/me"},{"id":2,"method":"messages/cursor"}]');
    expect(await two).toHaveLength(2);
    const refusal = nextFrame(socket);
    socket.send(`[${'1,'.repeat(5_000)}1]`);
    expect(await refusal).toMatchObject({ id: null, error: { code: -32600 } });
    socket.close();
  });

  test('a frame over the limit ends the connection with 1009, and only that one', async () => {
    await using server = await openServer();
    const socket = await openRaw(server);
    const code = closeCode(socket);
    socket.send('x'.repeat(MAX_REQUEST_BYTES + 1));
    expect(await code).toBe(1009);
    expect((await rawRequest(`${server.url}/api/health`)).status).toBe(200);
  });

  test('seeded garbage never ends the process, and never is a bug', async () => {
    await using server = await openServer();
    const random = seeded(20_261_121);
    const socket = await openRaw(server);
    let answers = 0;
    socket.on('message', () => {
      answers += 1;
    });
    for (let count = 0; count < 3_000; count += 1) {
      const frame = garbage(random);
      socket.send(random() < 0.1 ? Buffer.from(frame) : frame);
    }
    const done = new Promise((resolve) => {
      socket.on('message', (data) => String(data).includes('"last"') && resolve(true));
    });
    socket.send('{"jsonrpc":"2.0","id":"last","method":"system/me"}');
    expect(await done).toBe(true);
    expect(answers).toBeGreaterThan(2_000);
    expect(server.logged.filter(({ message }) => message !== 'socket request failed')).toEqual([]);
    expect(server.logged.map(({ fields }) => (fields as { method: string }).method).filter((method) => method !== 'agents/remove')).toEqual(
      [],
    );
    socket.close();
  });

  test('a reader that stops reading is not pulled for, and misses nothing when it comes back', async () => {
    await using server = await openServer();
    const body = 'x'.repeat(60_000);
    for (let count = 0; count < 1_000; count += 1) server.relay.append(body);
    const socket = await openRaw(server);
    const seen: number[] = [];
    socket.on('message', (data) => {
      const { params } = JSON.parse(String(data)) as { params?: { events: { seq: number }[] } };
      for (const event of params?.events ?? []) seen.push(event.seq);
    });
    socket.pause();
    socket.send('{"id":1,"method":"events/subscribe","params":{"after":0}}');
    await poll('the first pages were pulled', () => server.relay.pagesRead > 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    // 20 pages of 3 MB each: what was pulled is what the kernel's and our own buffers hold.
    expect(server.relay.pagesRead).toBeLessThan(8);
    socket.resume();
    await poll('everything', () => seen.length === 1_000);
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    socket.close();
  });
});

/** Mulberry32: the same garbage in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function garbage(random: () => number): string {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item; // the list is not empty
  const values = [
    'null',
    '1',
    '-1e308',
    '"x"',
    '[]',
    '{}',
    'true',
    '"\\ud800"',
    `"${'a'.repeat(300)}"`,
    '{"__proto__":{"a":1}}',
    '[[[[[]]]]]',
  ];
  const methods = [
    'messages/send',
    'agents/get',
    'agents/remove',
    'events/subscribe',
    'nodes/attach',
    'toString',
    '__proto__',
    'claims/renew',
  ];
  const keys = ['id', 'to', 'body', 'after', 'meta', 'fence', 'sessions', 'constructor', '__proto__'];
  const params = Array.from({ length: Math.floor(random() * 4) }, () => `"${pick(keys)}":${pick(values)}`).join(',');
  const frame = `{"jsonrpc":"2.0","id":${pick(['1', '"a"', 'null', '{}', '1.5', '2'])},"method":"${pick(methods)}","params":{${params}}}`;
  return random() < 0.2 ? frame.slice(0, Math.floor(random() * frame.length)) : frame;
}
