import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RelayError, type Session } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { silentLogger } from '../../logger.ts';
import type { DialInRequest } from '../../relay/contract/relay-contract.ts';
import { Draining } from '../draining.ts';
import { DialledLinks, MAX_DIALLED_FRAME_BYTES } from './dialled-links.ts';

/** As many messages as fit into a frame, were it read line by line. */
const flood = '1\n'.repeat(MAX_DIALLED_FRAME_BYTES / 2 - 1024);
const server = createServer();
const open: WebSocket[] = [];
let links: DialledLinks;
let onOpen: (asked: DialInRequest) => Promise<Session>;
let arrived: IncomingMessage[];
let base: string;

beforeEach(async () => {
  arrived = [];
  links = new DialledLinks({
    relay: { dialIns: { open: (asked: DialInRequest) => onOpen(asked) } as never, endOf: () => undefined as never },
    authenticator: { authenticateToken: async () => ({ type: 'owner' }) as never },
    guard: { check: () => 'none' as never },
    draining: new Draining(),
    log: silentLogger,
  });
  const upgrades = new WebSocketServer({ noServer: true, maxPayload: MAX_DIALLED_FRAME_BYTES });
  server.removeAllListeners('upgrade').on('upgrade', (request, socket, head) =>
    upgrades.handleUpgrade(request, socket, head, (webSocket) => {
      arrived.push(request);
      const [, kind, id = ''] = request.url?.split('/') ?? [];
      if (kind === 'claude') void links.take(webSocket, request);
      else links.fetch(webSocket, id);
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const webSocket of open.splice(0)) webSocket.terminate();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const dial = (path: string): WebSocket => {
  const webSocket = new WebSocket(`${base}${path}`, { perMessageDeflate: false });
  webSocket.on('error', () => {});
  open.push(webSocket);
  return webSocket;
};
const ended = (webSocket: WebSocket) => new Promise<number>((resolve) => webSocket.once('close', resolve));

test('nothing is read of a program before it may come, and little of one that may not', async () => {
  let refuse = () => {};
  onOpen = () =>
    new Promise((_, reject) => {
      refuse = () => reject(new RelayError('unauthorized', 'no'));
    });
  const program = dial('/claude/Lead');
  const end = ended(program);
  program.once('open', () => program.send(flood));
  await expect.poll(() => program.bufferedAmount).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const read = () => arrived[0]?.socket.bytesRead ?? 0;
  expect(read()).toBeLessThan(1024 * 1024);
  refuse();
  await end;
  expect(read()).toBeLessThan(2 * 1024 * 1024);
});

test('a frame is carried as the text it is, however many lines are in it', async () => {
  let machine: WebSocket | undefined;
  onOpen = async ({ dialled }) => {
    machine = dial(`/dialled/${dialled.linkId}`);
    return { sessionId: 's1' } as Session;
  };
  const program = dial('/claude/Lead');
  const answered = new Promise<string>((resolve) => program.once('message', (data) => resolve(String(data))));
  program.once('open', () => program.send(flood));
  await expect.poll(() => machine).toBeDefined();
  const frame = await new Promise<string>((resolve) => machine?.once('message', (data) => resolve(String(data))));
  expect(frame.length).toBe(flood.length);
  machine?.send('{"a":1}\n');
  expect(await answered).toBe('{"a":1}\n');
});
