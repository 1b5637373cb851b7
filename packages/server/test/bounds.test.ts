import { connect } from 'node:net';
import { MAX_AGENT_META_LENGTH } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type OpenServer, OWNER_TOKEN, openServer } from './support/open-server.ts';
import { poll } from './support/poll.ts';
import { rawRequest } from './support/raw-http.ts';

const MEBIBYTE = 1024 * 1024;
const list = (id: number, params: object = { limit: 1000 }) => ({ jsonrpc: '2.0', id, method: 'messages/list', params });

/** Mail that anybody may read. */
const tellAll = (server: OpenServer, count: number, body: string) =>
  Promise.all(Array.from({ length: count }, () => server.call('messages/send', { to: 'broadcast', body })));

async function openRaw(server: OpenServer): Promise<WebSocket> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws`);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** What this process, which is the server too, has worked so far: others may keep the machine from it. */
const workedMs = (): number => Object.values(process.cpuUsage()).reduce((sum, part) => sum + part, 0) / 1_000;

/** How much was worked until the slowest of so many small calls was answered, one after another. */
async function slowest(server: OpenServer, calls: number): Promise<number> {
  let slowestMs = 0;
  for (let call = 0; call < calls; call += 1) {
    const before = workedMs();
    await rawRequest(`${server.url}/api/version`);
    slowestMs = Math.max(slowestMs, workedMs() - before);
  }
  return slowestMs;
}

const memoryBytes = (): number => {
  const { rss } = process.memoryUsage();
  return rss;
};

test('a page carries so much text, and the pages after it carry the rest', async () => {
  await using server = await openServer();
  const ids = await server.append(40, 'x'.repeat(30_000));
  const seen: number[] = [];
  let pages = 0;
  for (let after: number | undefined = 0; after !== undefined; pages += 1) {
    const page: Awaited<ReturnType<typeof server.call<'messages/list'>>> = await server.call('messages/list', { after, limit: 1000 });
    expect(JSON.stringify(page).length).toBeLessThan(MEBIBYTE);
    seen.push(...page.data.map(({ id }) => id));
    after = page.nextCursor;
  }
  expect({ seen, hasPages: pages > 2 }).toEqual({ seen: ids, hasPages: true });
  const newest = await server.call('messages/list', { newest: true, limit: 1000 });
  expect(newest.data.map(({ id }) => id)).toEqual(ids.slice(-newest.data.length));
  expect(JSON.stringify(newest).length).toBeLessThan(MEBIBYTE);
});

test('waiting mail is answered so much text at a time, and all of it in the end', async () => {
  await using server = await openServer();
  await server.register({ id: 'reader', name: 'reader' });
  const bodies = Array.from({ length: 30 }, (_, index) => `${index} ${'x'.repeat(60_000)}`);
  for (const body of bodies) await server.call('messages/send', { to: 'id:reader', body });
  const seen: string[] = [];
  while (seen.length < bodies.length) {
    const { data } = await server.call('inbox/list', { id: 'reader', limit: 1000 });
    expect(data.length).toBeGreaterThan(0);
    expect(JSON.stringify(data).length).toBeLessThan(MEBIBYTE);
    seen.push(...data.map(({ message }) => message.body));
    await server.call('inbox/ack', { id: 'reader', ids: data.map(({ message }) => message.id) });
  }
  expect(seen).toEqual(bodies);
});

test('one batch of a thousand lists to a socket that does not read costs the others nothing', async () => {
  await using server = await openServer();
  await tellAll(server, 300, 'x'.repeat(30_000));
  const before = memoryBytes();
  const socket = await openRaw(server);
  socket.pause();
  socket.send(JSON.stringify(Array.from({ length: 1_000 }, (_, id) => list(id))));
  expect(await slowest(server, 50)).toBeLessThan(2_000);
  expect(memoryBytes() - before).toBeLessThan(250 * MEBIBYTE);
  const answer = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
  socket.resume();
  const answers: { error?: { data: { code: string } } }[] = JSON.parse(await answer);
  expect(answers.length).toBe(1_000);
  expect(new Set(answers.map(({ error }) => error?.data.code))).toEqual(new Set([undefined, 'payload_too_large']));
  socket.terminate();
});

test('hundreds of frames to a socket that does not read wait in its own buffers, and are all answered when it does', async () => {
  await using server = await openServer();
  await tellAll(server, 300, 'x'.repeat(30_000));
  const before = memoryBytes();
  const socket = await openRaw(server);
  socket.pause();
  for (let id = 0; id < 300; id += 1) socket.send(JSON.stringify(list(id)));
  expect(await slowest(server, 50)).toBeLessThan(2_000);
  expect(memoryBytes() - before).toBeLessThan(250 * MEBIBYTE);
  let answered = 0;
  socket.on('message', () => {
    answered += 1;
  });
  socket.resume();
  await poll('all answers', () => answered === 300, 60_000);
  socket.terminate();
});

test('requests sent ahead on one connection are answered one after another, in order', async () => {
  await using server = await openServer();
  await tellAll(server, 100, 'x'.repeat(30_000));
  const before = memoryBytes();
  const socket = connect(server.port, '127.0.0.1');
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`;
  socket.pause();
  socket.write(request('/api/messages?limit=1000').repeat(150) + request('/api/version'));
  expect(await slowest(server, 50)).toBeLessThan(2_000);
  expect(memoryBytes() - before).toBeLessThan(250 * MEBIBYTE);
  let answers = 0;
  let tail = '';
  socket.on('data', (chunk: Buffer) => {
    const text = tail + chunk.toString('latin1');
    answers += text.split('HTTP/1.1 200').length - 1;
    tail = text.slice(-11);
  });
  socket.resume();
  await poll('all answers', () => answers === 151, 60_000);
  socket.destroy();
});

test('agents are listed in pages, and what a card carries has an end', async () => {
  await using server = await openServer();
  const meta = { note: 'x'.repeat(MAX_AGENT_META_LENGTH - 100) };
  const ids = Array.from({ length: 80 }, (_, index) => `agent-${String(index).padStart(2, '0')}`);
  for (const id of ids) await server.call('agents/register', { id, name: id, meta, tags: ['many'] });
  const seen: string[] = [];
  let after: string | undefined = '0';
  let pages = 0;
  for (; after !== undefined; pages += 1) {
    const page: Awaited<ReturnType<typeof server.call<'agents/list'>>> = await server.call('agents/list', { tag: 'many', after });
    expect(JSON.stringify(page).length).toBeLessThan(MEBIBYTE);
    seen.push(...page.data.map(({ id }) => id));
    after = page.nextCursor;
  }
  expect({ seen, hasPages: pages > 1 }).toEqual({ seen: ids, hasPages: true });
  const { status, body } = await rawRequest(`${server.url}/api/agents`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${OWNER_TOKEN}` },
    body: JSON.stringify({ name: 'large', meta: { note: 'x'.repeat(MAX_AGENT_META_LENGTH) } }),
  });
  expect({ status, body }).toMatchObject({ status: 400, body: { error: { code: 'validation_failed', issues: [{ path: 'meta' }] } } });
});

test('an agent with much waiting mail is removed a piece at a time: all of it fails, and its sender is told once', async () => {
  await using server = await openServer();
  await server.register({ id: 'reader', name: 'reader' });
  await server.register({ id: 'writer', name: 'writer' });
  const send = () => server.call('messages/send', { from: 'writer', to: 'id:reader', body: 'x' });
  const sent = await Promise.all(Array.from({ length: 1_000 }, send));
  const removing = server.call('agents/remove', { id: 'reader' });
  expect(await slowest(server, 5)).toBeLessThan(2_000);
  expect(await removing).toEqual({ removed: true, failedMessages: 1_000 });
  for (const { id } of [sent[0], sent[500], sent[999]].filter((message) => message !== undefined)) {
    expect((await server.call('messages/deliveries', { id })).data).toMatchObject([{ agentId: 'reader', state: 'failed' }]);
  }
  const { data } = await server.call('inbox/list', { id: 'writer' });
  expect(data.map(({ message }) => message.payload)).toEqual([{ type: 'agent.removed', agentId: 'reader', count: 1_000 }]);
});
