import { once } from 'node:events';
import { createServer } from 'node:http';
import { createDuplexPair } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { OutgoingFrame } from '../src/stream-json/outgoing.ts';
import { bridgeStdio } from '../src/stream-json/stdio-bridge.ts';

const frameCount = 6000;
/** Long enough that thousands are under way when a link is cut. */
const padding = 'x'.repeat(700);

test('of thousands of frames none is lost when links are cut in the middle, and new ones keep their order', async () => {
  const server = createServer();
  const webSockets = new WebSocketServer({ server });
  const firstSeen: number[] = [];
  const seen = new Set<number>();
  let links = 0;
  webSockets.on('connection', (socket: WebSocket) => {
    links += 1;
    let received = 0;
    socket.on('message', (line) => {
      const { number }: { number: number } = JSON.parse(String(line));
      received += 1;
      if (!seen.has(number)) firstSeen.push(number);
      seen.add(number);
      // The first links are cut while they are being read, the last is left alone.
      if (links <= 6 && received === 1500) socket.terminate();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const [cli, claude] = createDuplexPair<unknown, OutgoingFrame>();
  const ended = bridgeStdio({
    url: new URL('ws://127.0.0.1/claude/s1'),
    cli,
    dial: () => connectWebSocket(`ws://127.0.0.1:${address.port}`, { framing: 'lines' }),
    environment: {},
    onRefused: () => {},
    onSilence: () => {},
    signal: new AbortController().signal,
    firstPauseMs: 1,
  });
  // Every tenth has no uuid, as a permission that is asked for.
  for (let number = 0; number < frameCount; number += 1)
    await claude.send(number % 10 === 0 ? { number, padding } : { number, uuid: `u${number}`, padding });
  await claude.close();
  expect(await ended).toEqual({ by: 'cli' });
  expect(links).toBe(7);
  expect(firstSeen).toEqual(Array.from({ length: frameCount }, (_, number) => number));
  webSockets.close();
  server.close();
});
