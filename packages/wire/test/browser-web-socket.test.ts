import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws';
import { type BrowserWebSocket, connectBrowserWebSocket } from '../src/browser-web-socket.ts';
import { JsonRpcPeer } from '../src/json-rpc-peer.ts';
import { webSocketDuplex } from '../src/node/web-socket-duplex.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(onConnection: (socket: ServerSocket) => void): Promise<string> {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  server.on('connection', onConnection);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of server.clients) socket.terminate();
    return new Promise((resolve) => http.close(resolve));
  });
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}`; // listens on TCP
}

describe('connectBrowserWebSocket', () => {
  it('carries a peer over the platform WebSocket', async () => {
    const url = await listen((socket) => void new JsonRpcPeer(webSocketDuplex(socket), { onRequest: (_method, params) => params }));
    const peer = new JsonRpcPeer(await connectBrowserWebSocket(url));
    expect(await peer.request('echo', { a: 'ü' })).toEqual({ a: 'ü' });
    await peer.close({ code: 4001, reason: 'bye' });
    expect(await peer.closed).toEqual({ code: 4001, reason: 'bye' });
    await expect(peer.request('echo')).rejects.toMatchObject({ code: 'connection_closed' });
  });

  it('reports malformed frames, takes binary ones, and ends with the code of the server', async () => {
    const malformed: string[] = [];
    const url = await listen((socket) => {
      socket.send('oops');
      socket.send(Buffer.from('{"binary":1}'));
      socket.close(4403, 'not you');
    });
    const duplex = await connectBrowserWebSocket(url, { onMalformed: (text) => malformed.push(text) });
    const messages: unknown[] = [];
    for await (const message of duplex.incoming) messages.push(message);
    expect(messages).toEqual([{ binary: 1 }]);
    expect(malformed).toEqual(['oops']);
    expect(await duplex.closed).toEqual({ code: 4403, reason: 'not you' });
  });

  it('is closed soon after it was asked to, also where the network was cut and nobody answers the close', async () => {
    const { port1: deaf } = new MessageChannel();
    const socket = Object.assign(deaf, { readyState: 1, bufferedAmount: 0, binaryType: '', send: () => {}, close: () => {} });
    const connecting = connectBrowserWebSocket('ws://relay', { createSocket: () => socket as unknown as BrowserWebSocket }); // it speaks the few words that are used
    deaf.dispatchEvent(new Event('open'));
    const duplex = await connecting;
    vi.useFakeTimers();
    cleanups.push(() => vi.useRealTimers());
    const closing = duplex.close();
    await vi.advanceTimersByTimeAsync(2_000);
    await closing;
    expect(await duplex.closed).toMatchObject({ code: 1006 });
  });

  it('ends with `overloaded` when nobody reads: a browser cannot pause', async () => {
    const url = await listen((socket) => {
      for (let count = 0; count < 100; count += 1) socket.send(JSON.stringify('x'.repeat(10_000)));
    });
    const duplex = await connectBrowserWebSocket(url, { maxBufferedBytes: 100_000 });
    expect(await duplex.closed).toMatchObject({ code: 4503 });
    await expect(
      (async () => {
        for await (const message of duplex.incoming) expect(message).toHaveLength(10_000);
      })(),
    ).rejects.toMatchObject({ code: 'overloaded' });
  });

  it('waits above the high-water mark until the buffer drains', async () => {
    const received: unknown[] = [];
    const url = await listen((socket) => socket.on('message', (data: Buffer) => received.push(data.length)));
    const duplex = await connectBrowserWebSocket(url, { highWaterBytes: 1_000 });
    for (let count = 0; count < 5; count += 1) await duplex.send('x'.repeat(500_000));
    expect(duplex.bufferedBytes).toBeLessThanOrEqual(1_000);
    await vi.waitFor(() => expect(received).toEqual(Array.from({ length: 5 }, () => 500_002)), { timeout: 60_000 });
    await duplex.close();
  });

  it('throws when nobody listens, in time, and by signal', async () => {
    const url = await listen(() => {});
    for (const cleanup of cleanups.splice(0)) await cleanup();
    await expect(connectBrowserWebSocket(url)).rejects.toMatchObject({ code: 'connection_closed' });
    await expect(connectBrowserWebSocket(url, { signal: AbortSignal.abort('before') })).rejects.toBe('before');

    const silent = createServer();
    silent.on('upgrade', () => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const silentUrl = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}`; // listens on TCP
    await expect(connectBrowserWebSocket(silentUrl, { handshakeTimeoutMs: 20 })).rejects.toMatchObject({ code: 'timeout' });
    const controller = new AbortController();
    const connecting = connectBrowserWebSocket(silentUrl, { signal: controller.signal });
    controller.abort('enough');
    await expect(connecting).rejects.toBe('enough');
  });
});
