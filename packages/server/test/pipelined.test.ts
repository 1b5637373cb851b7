import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { sleep } from 'agent-relay-wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';

let relay: TestRelay;
beforeAll(async () => {
  relay = await startTestRelay();
});
afterAll(() => relay.close());

const open = (): Socket => connect(Number(new URL(relay.url).port), '127.0.0.1');
const get = 'GET /api/version HTTP/1.1\r\nhost: localhost\r\n\r\n';

test('who sends requests without end, reads nothing and goes costs the relay no more than its own connection', async () => {
  const socket = open();
  socket.pause();
  socket.write(get.repeat(30_000));
  await sleep(500);
  socket.destroy();
  await sleep(200);
  expect((await fetch(`${relay.url}/api/version`)).status).toBe(200);
});

test('who sends many requests ahead and reads gets each answer, in order, and may go on afterwards', async () => {
  const socket = open();
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += String(chunk);
  });
  const answers = () => text.split('HTTP/1.1 ').slice(1);
  socket.write(get.repeat(3_000) + get.replace('/api/version', '/api/none'));
  while (answers().length < 3_001) await once(socket, 'data');
  expect(answers().map((answer) => answer.slice(0, 3))).toEqual([...Array.from({ length: 3_000 }, () => '200'), '404']);
  socket.write(get);
  while (answers().length < 3_002) await once(socket, 'data');
  expect(answers().at(-1)).toMatch(/^200/u);
  socket.destroy();
});

test('a client is told to keep its connection for longer than it is likely to be busy', async () => {
  const { headers } = await fetch(`${relay.url}/api/version`);
  expect(headers.get('keep-alive')).toBe('timeout=75');
});
