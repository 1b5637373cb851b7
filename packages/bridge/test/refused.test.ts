import { connect as connectTcp } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { connect, startBridge } from './bridge-world.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes in hand: what nobody holds any more, and was not collected yet, is none. */
function held(): number {
  collect();
  return process.memoryUsage().arrayBuffers;
}

test('of what a refused client sends nothing is held', async () => {
  const { url, port } = await startBridge({ authToken: 'secret' });
  const before = held();
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
  await expect.poll(() => sockets.every(({ writableLength }) => writableLength === 0)).toBe(true);
  // Within the two seconds that a refused client has to say goodbye. What is on its way through this process, which is both ends, passes; one frame is its own.
  await expect.poll(() => held() - before, { timeout: 1_800 }).toBeLessThan(30 << 20);
  for (const socket of sockets) socket.destroy();
  const refused = await connect(url);
  expect(await refused.closed).toMatchObject({ code: 4401 });
});
