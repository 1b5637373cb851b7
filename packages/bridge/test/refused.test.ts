import { connect as connectTcp } from 'node:net';
import { expect, test } from 'vitest';
import { connect, startBridge } from './bridge-world.ts';

test('of what a refused client sends nothing is held', async () => {
  const { url, port } = await startBridge({ authToken: 'secret' });
  const before = process.memoryUsage().arrayBuffers;
  const head =
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
  // The beginning of a frame of 40 MB, and half of it.
  const frame = Buffer.alloc(14 + (20 << 20));
  frame.set([0x82, 0xff]);
  frame.writeBigUInt64BE(40n << 20n, 2);
  const sockets = Array.from({ length: 6 }, () => {
    const socket = connectTcp(port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.write(head);
    socket.write(frame);
    return socket;
  });
  let most = 0;
  const until = Date.now() + 1_500;
  while (Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  for (const socket of sockets) socket.destroy();
  // Some frames are this test's own; what was held of all of them would be more.
  expect(most).toBeLessThan(100 << 20);
  const refused = await connect(url);
  expect(await refused.closed).toMatchObject({ code: 4401 });
});
