import { type ErrorCode, MAX_REQUEST_BYTES, RelayError } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Relay } from '../src/relay/contract/relay-contract.ts';
import type { StartedRelay } from '../src/relay/relay.ts';
import { type OpenServer, OWNER_TOKEN, openServer } from './support/open-server.ts';
import { poll } from './support/poll.ts';
import { rawRequest } from './support/raw-http.ts';
import { pick, seeded } from './support/seeded.ts';

interface Notice {
  readonly method: string;
  readonly params: unknown;
}

interface Client extends AsyncDisposable {
  readonly peer: JsonRpcPeer;
  readonly notices: Notice[];
}

const withBug = ({ handlers }: StartedRelay): Partial<Relay> => ({
  handlers: {
    ...handlers,
    'agents/remove': () => {
      throw new TypeError('a bug with secrets in it');
    },
  },
});

/** `answers`: what this side answers to the relay's own calls; an error is thrown. */
async function openClient(
  server: OpenServer,
  token: string | null = OWNER_TOKEN,
  headers: Record<string, string> = {},
  answers: Record<string, unknown> = {},
): Promise<Client> {
  const notices: Notice[] = [];
  const duplex = await connectWebSocket(`${server.url.replace('http', 'ws')}/ws`, {
    headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
  });
  const peer = new JsonRpcPeer(duplex, {
    onNotification: (method, params) => void notices.push({ method, params }),
    onRequest: (method) => {
      const answer = answers[method];
      if (answer === undefined) throw new RelayError('unknown_method', method);
      if (answer instanceof Error) throw answer;
      return answer;
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
    await using server = await openServer({ replace: withBug });
    await using client = await openClient(server);
    expect(await client.peer.request('messages/send', { to: 'owner', body: 'hello' })).toMatchObject({ body: 'hello', matched: 1 });
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
    const token = await server.register({ name: 'A' });
    expect(await failure(nobody.peer.request('auth/authenticate', { token }))).toBe('forbidden');
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
    const before = await server.append(120);
    const { subscriptionId } = (await client.peer.request('events/subscribe', { after: before[19], types: ['message'] })) as {
      subscriptionId: string;
    };
    const after = await server.append(30);
    const seen = () => client.notices.flatMap(({ params }) => (params as { events: { seq: number }[] }).events.map((event) => event.seq));
    await poll('all events', () => seen().length === 130);
    expect(seen()).toEqual([...before.slice(20), ...after]);
    expect(await client.peer.request('events/unsubscribe', { subscriptionId })).toEqual({});
    await server.append(1);
    expect(await failure(client.peer.request('events/unsubscribe', { subscriptionId }))).toBe('not_found');
    expect(seen()).toHaveLength(130);
  });

  test('the answer to a subscription leaves before its first notification', async () => {
    await using server = await openServer();
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
    const { subscriptionId } = (await client.peer.request('events/subscribe', { after: 9_999 })) as { subscriptionId: string };
    await poll('the reset', () => client.notices.length > 0);
    expect(await failure(client.peer.request('events/unsubscribe', { subscriptionId }))).toBe('not_found');
    expect(client.notices).toMatchObject([{ method: 'events/reset', params: { subscriptionId, reset: { reason: 'ahead' } } }]);
  });

  test('an inbox is pushed to its one deliverer, and a newer incarnation of the agent ends that', async () => {
    await using server = await openServer();
    await server.register({ name: 'Worker', instanceId: 'one' });
    await using worker = await openClient(server, OWNER_TOKEN);
    const { subscriptionId } = (await worker.peer.request('inbox/subscribe', { id: 'Worker' })) as { subscriptionId: string };
    const sent = await server.call('messages/send', { to: 'Worker', body: 'hello' });
    await poll('the mail', () => worker.notices.length === 1);
    expect(worker.notices).toMatchObject([{ method: 'inbox/next', params: { subscriptionId, items: [{ message: { id: sent.id } }] } }]);
    await server.register({ name: 'Worker', instanceId: 'two' });
    await poll('the end', () => worker.notices.length === 2);
    expect(worker.notices[1]).toMatchObject({ method: 'subscription/ended', params: { subscriptionId, code: 'stale_session' } });
  });

  test('refused subscriptions cost nothing, and one socket follows a bounded number', async () => {
    await using server = await openServer();
    await server.register({ name: 'A' });
    await using holder = await openClient(server);
    await holder.peer.request('inbox/subscribe', { id: 'A' });
    await using client = await openClient(server);
    for (let count = 0; count < 70; count += 1) {
      expect(await failure(client.peer.request('inbox/subscribe', { id: 'A' }))).toBe('inbox_taken');
    }
    const answers = await Promise.all(Array.from({ length: 65 }, () => failure(client.peer.request('events/subscribe', {}))));
    expect(answers.filter((answer) => answer !== 'no error')).toEqual(['overloaded']);
  });

  test('an owner who lends a machine speaks as its node from then on; the relay calls it over the same socket and hears of its end', async () => {
    await using server = await openServer();
    await using owner = await openClient(server);
    const started = { cwd: '/somewhere', vendorSessionId: 'v', model: 'm' };
    const node = await openClient(
      server,
      OWNER_TOKEN,
      {},
      { 'session/start': started, 'session/close': {}, 'session/interrupt': 'nonsense' },
    );
    const providers = [{ id: 'fake', available: true, version: '1', reason: null }];
    const attach = { name: 'laptop', version: '1', protocol: 1, providers, sessions: [] };
    const { nodeId } = (await node.peer.request('nodes/attach', attach)) as { nodeId: string };
    expect(await node.peer.request('system/me')).toEqual({ type: 'node', workspace: 'default', nodeId });
    const session = await owner.peer.request('sessions/start', { name: 'X', provider: 'fake' });
    expect(session).toMatchObject({ agentId: 'X', nodeId, status: 'running', cwd: '/somewhere' });
    expect(await failure(owner.peer.request('agents/interrupt', { id: 'X' }))).toBe('node_unavailable');
    await node.peer.close();
    await poll('the relay knows', async () => (await server.call('nodes/list', {})).data[0]?.status === 'offline');
  });

  test('what fails inside a node is no failure of the relay, and what the node means passes', async () => {
    await using server = await openServer();
    await using owner = await openClient(server);
    const answers: Record<string, unknown> = { 'session/close': {} };
    await using node = await openClient(server, OWNER_TOKEN, {}, answers);
    const providers = [{ id: 'fake', available: true, version: '1', reason: null }];
    await node.peer.request('nodes/attach', { name: 'laptop', version: '1', protocol: 1, providers, sessions: [] });
    const start = (code: ErrorCode) => {
      answers['session/start'] = new RelayError(code, 'Not today');
      return failure(owner.peer.request('sessions/start', { name: 'X', provider: 'fake' }));
    };
    expect(await start('internal')).toBe('node_unavailable');
    expect(await start('store_full')).toBe('node_unavailable');
    expect(await start('provider_unavailable')).toBe('provider_unavailable');
    expect(await start('unsupported')).toBe('unsupported');
    expect(server.logged).toEqual([]);
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
    await using server = await openServer({ replace: withBug });
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
    const after = await server.head();
    const expected = await server.append(2_000, 'x'.repeat(30_000));
    const socket = await openRaw(server);
    const seen: number[] = [];
    socket.on('message', (data) => {
      const { params } = JSON.parse(String(data)) as { params?: { events: { seq: number }[] } };
      for (const event of params?.events ?? []) seen.push(event.seq);
    });
    socket.pause();
    socket.send(`{"id":1,"method":"events/subscribe","params":{"after":${after},"types":["message"]}}`);
    await poll('the first page was pulled', () => server.pagesRead > 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    // A page is half a megabyte here, and the log 60: a few more than the kernel and the wire take for a reader that does not read.
    expect(server.pagesRead).toBeLessThan(40);
    socket.resume();
    await poll('everything', () => seen.length === 2_000);
    expect(seen).toEqual(expected);
    socket.close();
  });
});

function garbage(random: () => number): string {
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
  const params = Array.from({ length: Math.floor(random() * 4) }, () => `"${pick(random, keys)}":${pick(random, values)}`).join(',');
  const frame = `{"jsonrpc":"2.0","id":${pick(random, ['1', '"a"', 'null', '{}', '1.5', '2'])},"method":"${pick(random, methods)}","params":{${params}}}`;
  return random() < 0.2 ? frame.slice(0, Math.floor(random() * frame.length)) : frame;
}
