import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { JsonRpcPeer } from '../src/json-rpc-peer.ts';
import type { MessageDuplex } from '../src/message-duplex.ts';
import { type ConnectWebSocketOptions, connectWebSocket } from '../src/node/connect-web-socket.ts';
import { type WebSocketDuplexOptions, webSocketDuplex } from '../src/node/web-socket-duplex.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Listening {
  readonly url: string;
  readonly port: number;
  /** The next accepted socket. */
  readonly accepted: () => Promise<WebSocket>;
}

async function listen(target: number | string = 0, http: Server = createServer()): Promise<Listening> {
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  const waiting: WebSocket[] = [];
  server.on('connection', (socket) => waiting.push(socket));
  await new Promise<void>((resolve) =>
    http.listen(typeof target === 'number' ? { port: target, host: '127.0.0.1' } : { path: target }, resolve),
  );
  cleanups.push(() => {
    for (const socket of server.clients) socket.terminate();
    http.closeAllConnections();
    return new Promise((resolve) => http.close(resolve));
  });
  const port = typeof target === 'number' ? (http.address() as AddressInfo).port : 0; // an address object, because it listens on TCP
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    accepted: async () => {
      await vi.waitFor(() => expect(waiting).not.toEqual([]), { timeout: 60_000 });
      const socket = waiting.shift();
      if (!socket) throw new Error('no socket was accepted');
      return socket;
    },
  };
}

async function connect(url: string, options: ConnectWebSocketOptions = {}): Promise<MessageDuplex> {
  const duplex = await connectWebSocket(url, options);
  cleanups.push(() => duplex.close());
  return duplex;
}

async function connectedPair(
  near: ConnectWebSocketOptions = {},
  far: WebSocketDuplexOptions = {},
): Promise<{ near: MessageDuplex; far: MessageDuplex; socket: WebSocket }> {
  const server = await listen();
  const [client, socket] = await Promise.all([connect(server.url, near), server.accepted()]);
  return { near: client, far: webSocketDuplex(socket, far), socket };
}

async function take(duplex: MessageDuplex, count: number): Promise<unknown[]> {
  const messages: unknown[] = [];
  const reader = duplex.incoming[Symbol.asyncIterator]();
  while (messages.length < count) messages.push((await reader.next()).value);
  return messages;
}

describe('a WebSocket link', () => {
  it('says when the other side has received what was sent, and not when the link ended first', async () => {
    const { near, far, socket } = await connectedPair();
    const received: unknown[] = [];
    far.onMessage?.((message) => received.push(message));
    for (let count = 0; count < 100; count += 1) void near.send({ count });
    await Promise.all([near.confirm?.(), near.confirm?.()]);
    expect(received).toHaveLength(100);
    // It reads no more, so that nothing can be confirmed.
    socket.pause();
    const lost = near.confirm?.();
    socket.terminate();
    await expect(lost).rejects.toMatchObject({ code: 'connection_closed' });
    await expect(near.confirm?.()).rejects.toMatchObject({ code: 'connection_closed' });
  });

  it('carries messages both ways, in order', async () => {
    const { near, far } = await connectedPair();
    for (let count = 0; count < 100; count += 1) void near.send({ count });
    void far.send('back');
    expect(await take(far, 100)).toEqual(Array.from({ length: 100 }, (_, count) => ({ count })));
    expect(await take(near, 1)).toEqual(['back']);
  });

  it('carries text that is JSON already', async () => {
    const { near, far } = await connectedPair();
    await near.sendText?.('{"a":1}');
    expect(await take(far, 1)).toEqual([{ a: 1 }]);
  });

  it('ends both sides with the code and reason given, cutting a reason that is too long', async () => {
    const { near, far } = await connectedPair();
    await near.close({ code: 4409, reason: 'é'.repeat(200) });
    expect(await far.closed).toEqual({ code: 4409, reason: 'é'.repeat(61) });
    expect(await near.closed).toEqual({ code: 4409, reason: 'é'.repeat(61) });
    for await (const message of far.incoming) expect.unreachable(String(message));
    await expect(near.send('late')).rejects.toMatchObject({ code: 'connection_closed' });
    await near.close();
  });

  it('delivers what was sent in the turn of the close', async () => {
    const { near, far } = await connectedPair();
    void near.send(1);
    void near.send(2);
    await near.close();
    const messages: unknown[] = [];
    for await (const message of far.incoming) messages.push(message);
    expect(messages).toEqual([1, 2]);
  });

  it('reports a frame that is no JSON and goes on; a peer answers it as the standard says', async () => {
    const server = await listen();
    const client = await connect(server.url);
    const socket = await server.accepted();
    const malformed: string[] = [];
    const peer = new JsonRpcPeer(webSocketDuplex(socket, { onMalformed: (text) => malformed.push(text) }), { onRequest: () => 'ok' });
    cleanups.push(() => peer.close());
    await client.sendText?.('{"cut":');
    void client.send({ jsonrpc: '2.0', id: 1, method: 'x' });
    expect(await take(client, 2)).toEqual([
      {
        jsonrpc: '2.0',
        id: null,
        error: {
          code: -32700,
          message: 'The frame is not valid JSON',
          data: { code: 'parse_error', message: 'The frame is not valid JSON' },
        },
      },
      { jsonrpc: '2.0', id: 1, result: 'ok' },
    ]);
    expect(malformed).toEqual(['{"cut":']);
  });

  it('accepts JSON in binary frames', async () => {
    const { far, socket, near } = await connectedPair();
    socket.send(Buffer.from('{"binary":true}'));
    expect(await take(near, 1)).toEqual([{ binary: true }]);
    await far.close();
  });

  it('ends with 1009 when a message is longer than accepted, and the loop throws', async () => {
    const { near, far } = await connectedPair({ maxPayloadBytes: 1_000 });
    void far.send('x'.repeat(2_000));
    await expect(take(near, 1)).rejects.toMatchObject({ code: 'connection_closed' });
    expect(await near.closed).toMatchObject({ code: 1006 });
    expect(await far.closed).toMatchObject({ code: 1009 });
  });

  it('splits long messages into frames for a peer that limits them', async () => {
    const server = await listen();
    const client = await connect(server.url, { maxFrameBytes: 1_000 });
    const socket = await server.accepted();
    const frameLengths: number[] = [];
    // The socket below ws, on the receiving side: what arrives there are the frames themselves.
    const transport: unknown = Reflect.get(socket, '_socket');
    if (!(transport instanceof Socket)) throw new Error('ws keeps its socket elsewhere now');
    transport.on('data', (chunk: Buffer) => frameLengths.push(chunk.length));
    const far = webSocketDuplex(socket);
    const text = 'ü'.repeat(2_500);
    void client.send(text);
    void client.send('next');
    expect(await take(far, 2)).toEqual([text, 'next']);
    // 5 002 bytes in six frames, each with 8 bytes of header and mask, and one short frame.
    expect(frameLengths.reduce((sum, length) => sum + length, 0)).toBe(5_002 + 6 * 8 - 2 + 6 + 6);
  });

  it('reads and writes JSON lines when framed so, wherever frames are cut', async () => {
    const { near, socket, far } = await connectedPair({ framing: 'lines' });
    for (const piece of ['{"a":', '1}\n{"b":2}\n{"c', '":3}\n']) socket.send(piece);
    expect(await take(near, 3)).toEqual([{ a: 1 }, { b: 2 }, { c: 3 }]);
    const frame = new Promise((resolve) => socket.once('message', (data: Buffer) => resolve(data.toString())));
    await near.send({ d: 4 });
    expect(await frame).toBe('{"d":4}\n');
    await far.close();
  });
});

/** The system's own buffers take some megabytes first: waits until a count that grew no longer does. */
async function untilStill(count: () => number): Promise<number> {
  let before = 0;
  await vi.waitFor(
    () => {
      const now = count();
      const isStill = now > 0 && now === before;
      before = now;
      expect(isStill).toBe(true);
    },
    { interval: 100, timeout: 60_000 },
  );
  return before;
}

/** Counts what sockets pass to the system from now on: `_write` and `_writev` are how a stream's implementation is called. */
function countSystemWrites(): () => { one: number; many: number } {
  const counts = { one: 0, many: 0 };
  const { _write, _writev } = Socket.prototype;
  Socket.prototype._write = function (...input) {
    counts.one += 1;
    return _write.apply(this, input);
  };
  Socket.prototype._writev = function (...input) {
    counts.many += 1;
    return _writev?.apply(this, input);
  };
  cleanups.push(() => Object.assign(Socket.prototype, { _write, _writev }));
  return () => ({ ...counts });
}

describe('writing', () => {
  it('flushes all frames of one event-loop turn with one write to the socket', async () => {
    const { near, far } = await connectedPair();
    const writes = countSystemWrites();
    for (let count = 0; count < 50; count += 1) void near.send(count);
    expect(writes()).toEqual({ one: 0, many: 0 });
    await take(far, 50);
    expect(writes()).toEqual({ one: 0, many: 1 });
  });

  it('resolves at once below the high-water mark and waits above it, until the other side reads', async () => {
    const { near, far, socket } = await connectedPair({ highWaterBytes: 100_000 });
    socket.pause();
    await near.send('small');
    let sent = 0;
    const sending = (async () => {
      for (; sent < 400; sent += 1) await near.send('x'.repeat(50_000));
    })();
    expect(await untilStill(() => sent)).toBeLessThan(390);
    expect(near.bufferedBytes).toBeGreaterThan(50_000);
    expect(near.bufferedBytes).toBeLessThan(400_000);
    socket.resume();
    expect(await take(far, 401)).toHaveLength(401);
    await sending;
  });

  it('ends the link with `overloaded` when a sender does not wait and the other side does not read', async () => {
    const { near, socket } = await connectedPair({ highWaterBytes: 10_000, maxBufferedBytes: 1_000_000 });
    socket.pause();
    const outcomes: Promise<unknown>[] = [];
    for (let turn = 0; turn < 200; turn += 1) {
      outcomes.push(near.send('x'.repeat(100_000)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const rejected = (await Promise.allSettled(outcomes)).filter((outcome) => outcome.status === 'rejected');
    expect(rejected.at(-1)?.reason).toMatchObject({ code: 'overloaded' });
    expect(await near.closed).toMatchObject({ code: 1006, reason: 'The other side reads too slowly' });
  });

  it('settles every waiting send when the connection is cut', async () => {
    const { near, socket } = await connectedPair({ highWaterBytes: 1_000 });
    socket.pause();
    const sends = Array.from({ length: 20 }, () => near.send('x'.repeat(1_000_000)));
    socket.terminate();
    const outcomes = await Promise.allSettled(sends);
    expect(outcomes.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'connection_closed' } });
  });
});

describe('reading', () => {
  it('stops reading the socket while nobody reads the messages, so that memory stays bounded', async () => {
    const { near, far } = await connectedPair({ highWaterBytes: 100_000 }, { highWaterBytes: 100_000 });
    let sent = 0;
    const sending = (async () => {
      for (; sent < 2_000; sent += 1) await far.send({ sent, text: 'x'.repeat(20_000) });
    })();
    expect(await untilStill(() => sent)).toBeLessThan(1_900);
    expect(far.bufferedBytes).toBeGreaterThan(80_000);
    const messages = await take(near, 2_000);
    await sending;
    expect(messages.at(-1)).toMatchObject({ sent: 1_999 });
  });

  it('may be closed while it is full', async () => {
    const { near, far } = await connectedPair({ highWaterBytes: 1_000, closeTimeoutMs: 5_000 });
    // More than the buffers on the way hold: the answer to the close frame waits behind it.
    for (let count = 0; count < 200; count += 1) void far.send('x'.repeat(100_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await near.close({ code: 4000 });
    expect([await near.closed, await far.closed]).toEqual([{ code: 4000 }, { code: 4000 }]);
  });
});

describe('liveness', () => {
  it('ends a link whose other side has gone silent', async () => {
    const { near, socket } = await connectedPair({ pingIntervalMs: 30 });
    socket.pause();
    expect(await near.closed).toEqual({ code: 1006, reason: 'The other side stopped answering pings' });
  });

  it('keeps a quiet link whose other side answers pings', async () => {
    const { near, far, socket } = await connectedPair({ pingIntervalMs: 10 });
    let pings = 0;
    socket.on('ping', () => {
      pings += 1;
    });
    await vi.waitFor(() => expect(pings).toBeGreaterThan(5), { timeout: 60_000 });
    void near.send('alive');
    expect(await take(far, 1)).toEqual(['alive']);
  });

  it('closes within its time when the other side never answers the close frame', async () => {
    const { near, socket } = await connectedPair({ closeTimeoutMs: 50, pingIntervalMs: 0 });
    socket.pause();
    await near.close({ code: 4000 });
    expect(await near.closed).toMatchObject({ code: 1006 });
  });
});

describe('connectWebSocket', () => {
  it('speaks HTTP Upgrade and WebSocket over a unix socket, also at a path with colons, without asking for compression', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wire:'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const http = createServer();
    const requested = new Promise<unknown>((resolve) => {
      http.on('upgrade', ({ url, headers }) =>
        resolve({ url, token: headers['x-token'], host: headers.host, extensions: headers['sec-websocket-extensions'] }),
      );
    });
    const path = join(folder, 'a:b.sock');
    const server = await listen(path, http);
    const client = await connect('ws://localhost/rpc?x=1', { unixSocketPath: path, headers: { 'x-token': 't' } });
    const far = webSocketDuplex(await server.accepted());
    await client.send('over unix');
    expect(await take(far, 1)).toEqual(['over unix']);
    expect(await requested).toEqual({ url: '/rpc?x=1', token: 't', host: 'localhost', extensions: undefined });
  });

  it('gives the messages that came with the handshake', async () => {
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    server.on('connection', (socket) => {
      socket.send('"first"');
      socket.send('"second"');
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => http.close());
    const client = await connect(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`); // listens on TCP
    expect(await take(client, 2)).toEqual(['first', 'second']);
  });

  it.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'not_found'],
    [429, 'rate_limited'],
    [502, 'connection_closed'],
  ])('makes a refusal with status %d `%s`', async (status, code) => {
    const http = createServer();
    http.on('upgrade', (_request, socket) => socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno`));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => http.close());
    const port = (http.address() as AddressInfo).port; // listens on TCP
    await expect(connectWebSocket(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({ code, details: { httpStatus: status } });
  });

  it.each([
    ['', 'connection_closed'],
    ['X-Relay-Version: 1.0.0\r\n', 'not_found'],
  ])('takes a refusal with the header "%s" for `%s` where the server marks its answers', async (header, code) => {
    const http = createServer();
    http.on('upgrade', (_request, socket) => socket.end(`HTTP/1.1 404 No\r\n${header}Content-Length: 2\r\nConnection: close\r\n\r\nno`));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => http.close());
    const port = (http.address() as AddressInfo).port; // listens on TCP
    await expect(connectWebSocket(`ws://127.0.0.1:${port}`, { serverHeader: 'x-relay-version' })).rejects.toMatchObject({ code });
  });

  it('throws the error a relay put into its refusal', async () => {
    const http = createServer();
    const body = JSON.stringify({ error: { code: 'stale_session', message: 'A newer session took over', details: { epoch: 4 } } });
    http.on('upgrade', (_request, socket) =>
      socket.end(`HTTP/1.1 409 Conflict\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`),
    );
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => http.close());
    const port = (http.address() as AddressInfo).port; // listens on TCP
    await expect(connectWebSocket(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'stale_session',
      message: 'A newer session took over',
      details: { epoch: 4 },
    });
  });

  it('throws `connection_closed` when nobody listens, and `validation_failed` for what is no WebSocket URL', async () => {
    const { url, port } = await listen();
    expect(port).toBeGreaterThan(0);
    for (const cleanup of cleanups.splice(0)) await cleanup();
    await expect(connectWebSocket(url)).rejects.toMatchObject({ code: 'connection_closed', cause: { code: 'ECONNREFUSED' } });
    await expect(connectWebSocket('mailto:x')).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path: 'url' }] });
  });

  it('gives up on a server that accepts and says nothing, by time or by signal', async () => {
    const open = new Set<Socket>();
    const silent = createTcpServer((socket) => {
      open.add(socket);
      socket.resume().on('close', () => open.delete(socket));
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      for (const socket of open) socket.destroy();
      silent.close();
    });
    const url = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}`; // listens on TCP
    await expect(connectWebSocket(url, { handshakeTimeoutMs: 30 })).rejects.toMatchObject({ code: 'timeout', details: { timeoutMs: 30 } });
    const controller = new AbortController();
    const connecting = connectWebSocket(url, { signal: controller.signal });
    controller.abort('enough');
    await expect(connecting).rejects.toBe('enough');
    await expect(connectWebSocket(url, { signal: AbortSignal.abort('before') })).rejects.toBe('before');
    await vi.waitFor(() => expect(open.size).toBe(0), { timeout: 60_000 });
  });
});

it('a peer over a WebSocket settles what waited when the connection is cut', async () => {
  const { near, socket } = await connectedPair();
  const peer = new JsonRpcPeer(near);
  const request = peer.request('never answered');
  socket.terminate();
  await expect(request).rejects.toMatchObject({ code: 'connection_closed', details: { code: 1006 } });
});
