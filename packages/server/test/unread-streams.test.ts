import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type OpenServer, OWNER_TOKEN, openServer } from './support/open-server.ts';
import { poll } from './support/poll.ts';
import { usedMiB } from './support/used-memory.ts';

const BODY = 'x'.repeat(60_000);

/** A socket that takes nothing until it is resumed. */
async function openUnread(server: OpenServer): Promise<WebSocket> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws`, { headers: { authorization: `Bearer ${OWNER_TOKEN}` } });
  await new Promise((resolve) => socket.once('open', resolve));
  socket.on('error', () => {});
  socket.pause();
  return socket;
}

function openStream(server: OpenServer, after: number): Socket {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  const head = `GET /api/events?after=${after} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${OWNER_TOKEN}\r\n\r\n`;
  socket.write(head);
  return socket;
}

/** Until nothing more is pulled. */
async function settled(server: OpenServer): Promise<void> {
  for (let pages = -1; pages !== server.pagesRead; ) {
    pages = server.pagesRead;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

const ask = (socket: WebSocket, id: number, method: string, params: object) => socket.send(JSON.stringify({ id, method, params }));

test('the streams of a socket that takes nothing hold together what one would, and hold the loop up for nobody', async () => {
  await using server = await openServer();
  await server.append(250, BODY);
  const before = usedMiB();
  const sockets = await Promise.all(Array.from({ length: 4 }, () => openUnread(server)));
  for (const socket of sockets) for (let id = 0; id < 64; id += 1) ask(socket, id, 'events/subscribe', { after: id });
  await poll('pages', () => server.pagesRead > 0);
  await settled(server);
  // A page is half a MiB, of each stream 128 MiB; a socket has one, and a MiB in its wire.
  expect(usedMiB() - before).toBeLessThan(24);
  for (const socket of sockets) socket.terminate();
});

test('mail does not wait behind a long stream of the same socket', async () => {
  await using server = await openServer();
  await server.register({ id: 'reader', name: 'reader' });
  const backlog = await server.append(400, BODY);
  const socket = await openUnread(server);
  const arrived: string[] = [];
  let events = 0;
  socket.on('message', (data) => {
    const { method, params } = JSON.parse(String(data));
    if (method === 'events/next') events += params.events.length;
    if (method === 'inbox/next') arrived.push(`after ${events < backlog.length / 2 ? 'less' : 'more'} than half`);
  });
  ask(socket, 1, 'events/subscribe', { after: 0, types: ['message'] });
  await settled(server);
  ask(socket, 2, 'inbox/subscribe', { id: 'reader' });
  await server.call('messages/send', { to: 'id:reader', body: 'mail' });
  socket.resume();
  await poll('everything', () => events === backlog.length + 1 && arrived.length > 0);
  expect(arrived).toEqual(['after less than half']);
  socket.terminate();
});

test('above what may lie unsent for all, those end that take nothing; whoever reads goes on', async () => {
  await using server = await openServer({ maxLyingBytes: 1024 * 1024 });
  const stored = await server.append(250, BODY);
  let taken = 0;
  const reading = openStream(server, 0).on('data', (chunk) => {
    taken += chunk.length;
  });
  const unread = Array.from({ length: 16 }, () => openStream(server, 0));
  let closed = 0;
  for (const socket of unread) {
    socket.pause();
    socket.on('close', () => {
      closed += 1;
    });
  }
  await poll('the end of some', () => server.logged.some(({ message }) => message.includes('take nothing')));
  await poll('the whole log', () => taken > stored.length * BODY.length);
  for (const socket of unread) socket.resume();
  await poll('their end', () => closed > 0);
  const after = taken;
  await server.append(1);
  await poll('what comes', () => taken > after);
  expect(reading.destroyed).toBe(false);
  for (const socket of [reading, ...unread]) socket.destroy();
});

const half = 'x'.repeat(400_000);

function sendHalfBody(server: OpenServer): Socket {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  const head = `POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${OWNER_TOKEN}\r\n`;
  socket.write(`${head}Content-Type: application/json\r\nContent-Length: 800000\r\n\r\n"${half}`);
  return socket;
}

/** The first half of a text frame, masked by noughts. */
function sendHalfFrame(server: OpenServer): Socket {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  const head = `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${OWNER_TOKEN}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
  socket.write(`${head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(800_000n);
  socket.write(Buffer.concat([Buffer.from([0x81, 0xff]), length, Buffer.alloc(4), Buffer.from(half)]));
  return socket;
}

test.each([
  ['bodies', sendHalfBody],
  ['frames', sendHalfFrame],
])('above what may lie half received of all, those end whose %s do not; whoever finishes is served', async (_what, sendHalf) => {
  await using server = await openServer({ maxLyingBytes: 2 * 1024 * 1024 });
  const socket = await openUnread(server);
  socket.resume();
  const answers: number[] = [];
  socket.on('message', (data) => answers.push(JSON.parse(String(data)).id));
  for (let id = 0; id < 40; id += 1) ask(socket, id, 'messages/send', { to: 'owner', body: BODY });
  await poll('its answers', () => answers.length === 40);
  const halves = Array.from({ length: 16 }, () => sendHalf(server));
  let closed = 0;
  for (const each of halves) {
    each.resume().on('close', () => {
      closed += 1;
    });
  }
  await poll('the end of some', () => closed >= 3);
  expect(server.logged.some(({ message }) => message.includes('do not end'))).toBe(true);
  ask(socket, 40, 'messages/send', { to: 'owner', body: 'still here' });
  await poll('one more answer', () => answers.length === 41);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect([closed < halves.length, socket.readyState]).toEqual([true, WebSocket.OPEN]);
  for (const each of halves) each.destroy();
  socket.terminate();
});
