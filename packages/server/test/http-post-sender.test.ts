import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createAddressGuard } from '../src/outbound/address-guard.ts';
import { HttpPostSender, type ResolvedAddress } from '../src/outbound/http-post-sender.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener, { host = '127.0.0.1', port = 0 } = {}): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(port, host, resolve));
  return (server.address() as AddressInfo).port; // it listens on TCP
}

/** Counts what reaches it. */
function counting() {
  const counter = { calls: 0, listener: ((_incoming, response) => void response.writeHead(204).end()) as RequestListener };
  return {
    counter,
    listener: ((incoming, response) => {
      counter.calls += 1;
      counter.listener(incoming, response);
    }) as RequestListener,
  };
}

const never = new AbortController().signal;
const request = (url: string) => ({ url, body: '{"event":"task.status"}', headers: { 'idempotency-key': 'k-1' } });
const at =
  (address: string): (() => Promise<readonly ResolvedAddress[]>) =>
  async () => [{ address, family: 4 }];
const open = (more: { timeoutMs?: number; resolve?: (host: string) => Promise<readonly ResolvedAddress[]> } = {}) =>
  new HttpPostSender({ guard: createAddressGuard('all'), ...more });

test('the name is resolved once, and the address that was looked at is dialled, under the name', async () => {
  const seen: { host: string | undefined; body: string; key: unknown }[] = [];
  const port = await serve((incoming, response) => {
    void bodyOf(incoming).then((body) => {
      seen.push({ host: incoming.headers.host, body, key: incoming.headers['idempotency-key'] });
      response.writeHead(204).end();
    });
  });
  const asked: string[] = [];
  const sender = open({
    resolve: async (host) => {
      asked.push(host);
      return [{ address: '127.0.0.1', family: 4 }];
    },
  });
  expect(await sender.send(request(`http://hooks.example:${port}/x`), never)).toEqual({ status: 204, error: null });
  expect(asked).toEqual(['hooks.example']);
  expect(seen).toEqual([{ host: `hooks.example:${port}`, body: '{"event":"task.status"}', key: 'k-1' }]);
});

test('the wait that an answer asks for is handed on as it was sent', async () => {
  const port = await serve((_incoming, response) => void response.writeHead(503, { 'retry-after': '120' }).end());
  expect(await open().send(request(`http://127.0.0.1:${port}/`), never)).toEqual({ status: 503, error: null, retryAfter: '120' });
});

test('a name that leads to a private address, alone or among others, is not dialled', async () => {
  let calls = 0;
  const port = await serve((_incoming, response) => {
    calls += 1;
    response.end();
  });
  const guard = createAddressGuard([]);
  const private4 = new HttpPostSender({ guard, resolve: at('127.0.0.1') });
  const mixed = new HttpPostSender({
    guard,
    resolve: async () => [
      { address: '93.184.215.14', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ],
  });
  const mapped = new HttpPostSender({ guard, resolve: async () => [{ address: '::ffff:127.0.0.1', family: 6 }] });
  for (const sender of [private4, mixed, mapped]) {
    expect(await sender.send(request(`http://rebind.example:${port}/`), never)).toMatchObject({
      status: null,
      error: expect.stringContaining('not public'),
    });
  }
  const disguises = [
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '127.1',
    '0177.0.0.1',
    '017700000001',
    '127.0.0.1.',
    '①②⑦.⓪.⓪.①',
    '0',
    '%31%32%37.0.0.1',
  ];
  for (const literal of [
    '127.0.0.1',
    'localhost',
    'LocalHost',
    ...disguises,
    '[::1]',
    '[::ffff:7f00:1]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
  ]) {
    const sender = new HttpPostSender({ guard });
    const answer = await sender.send(request(`http://${literal}:${port}/`), never);
    expect([literal, answer.error]).toEqual([literal, expect.stringContaining('not public')]);
  }
  expect(calls).toBe(0);
});

test('a name that is public at first and private later is asked once an attempt, and never dialled where it was not allowed', async () => {
  const outside = counting();
  const inside = counting();
  const port = await serve(outside.listener);
  await serve(inside.listener, { host: '127.0.0.2', port });
  let asked = 0;
  // To this guard 127.0.0.1 is the public internet.
  const sender = new HttpPostSender({
    guard: { allows: (address) => address === '127.0.0.1' },
    resolve: async () => [{ address: ['127.0.0.1', '127.0.0.2'][asked++] ?? '', family: 4 }],
  });
  const url = `http://rebind.example:${port}/`;
  expect(await sender.send(request(url), never)).toEqual({ status: 204, error: null });
  expect(asked).toBe(1);
  expect(await sender.send(request(url), never)).toMatchObject({ status: null, error: expect.stringContaining('127.0.0.2') });
  expect([outside.counter.calls, inside.counter.calls]).toEqual([1, 0]);
});

test('a host with several addresses is reached at the first that answers; when none does, each says why', async () => {
  const { counter, listener } = counting();
  const port = await serve(listener);
  const closed = await serve(() => {});
  await new Promise((resolve) => servers.pop()?.close(resolve));
  const addresses = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }));
  const sender = open({ resolve: async () => addresses });
  expect(await sender.send(request(`http://two.example:${port}/`), never)).toEqual({ status: 204, error: null });
  expect(counter.calls).toBe(1);
  const { error } = await sender.send(request(`http://two.example:${closed}/`), never);
  expect(error).toMatch(/ECONNREFUSED 127\.0\.0\.2.*ECONNREFUSED 127\.0\.0\.1/u);
});

test('redirects are not followed, to nowhere', async () => {
  const elsewhere = counting();
  const other = await serve(elsewhere.listener);
  let location = '';
  let calls = 0;
  const port = await serve((_incoming, response) => {
    calls += 1;
    response.writeHead(307, { location }).end();
  });
  for (location of ['/elsewhere', `http://127.0.0.1:${other}/`, `//localhost:${other}/`]) {
    expect(await open().send(request(`http://127.0.0.1:${port}/`), never)).toEqual({ status: 307, error: null });
  }
  expect([calls, elsewhere.counter.calls]).toEqual([3, 0]);
});

test.each([
  ['says nothing and hangs up', (socket: Socket) => socket.end()],
  ['speaks another protocol', (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n')],
  ['switches protocols', (socket: Socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n')],
  ['never ends its head', (socket: Socket) => repeat(socket, 'HTTP/1.1 200 OK\r\n', 'x-more: 1\r\n')],
  ['has always something else to say first', (socket: Socket) => repeat(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n')],
  ['dribbles its head', (socket: Socket) => socket.write('HTTP/1.1 200 O')],
])('a server that %s is an answer without a status, in time', async (_, answer) => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const told = await open({ timeoutMs: 200 }).send(request(`http://127.0.0.1:${port}/`), never);
  expect(told).toEqual({ status: null, error: expect.stringMatching(/\S/u) });
  await new Promise((resolve) => server.close(resolve));
});

test('an answer without an end is cut off, and one that is late is none', async () => {
  const endless = await serve((_incoming, response) => {
    response.writeHead(200);
    const write = () => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
      response.once('drain', write);
    };
    write();
  });
  expect(await open().send(request(`http://127.0.0.1:${endless}/`), never)).toEqual({ status: 200, error: null });
  const silent = await serve(() => {});
  expect(await open({ timeoutMs: 50 }).send(request(`http://127.0.0.1:${silent}/`), never)).toEqual({
    status: null,
    error: 'No answer within 50 ms',
  });
  const trickle = await serve((_incoming, response) => void response.writeHead(200).write('x'));
  expect(await open({ timeoutMs: 50 }).send(request(`http://127.0.0.1:${trickle}/`), never)).toEqual({
    status: null,
    error: 'No answer within 50 ms',
  });
  const lost = open({ timeoutMs: 50, resolve: () => new Promise(() => {}) });
  expect((await lost.send(request('http://lost.example/'), never)).error).toBe('No answer within 50 ms');
});

test('a refused connection is an answer, not a failure of the relay', async () => {
  const port = await serve(() => {});
  const [server] = servers.splice(0);
  await new Promise((resolve) => server?.close(resolve));
  expect((await open().send(request(`http://127.0.0.1:${port}/`), never)).error).toContain('ECONNREFUSED');
});

/** Until the other side has had enough. */
function repeat(socket: Socket, head: string, line: string): void {
  socket.write(head);
  const write = () => {
    while (!socket.destroyed && socket.write(line));
    socket.once('drain', () => setImmediate(write));
  };
  write();
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of incoming) text += chunk;
  return text;
}
