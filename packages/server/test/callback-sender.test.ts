import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createAddressGuard } from '../src/outbound/address-guard.ts';
import { HttpCallbackSender, type ResolvedAddress } from '../src/outbound/callback-sender.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port; // it listens on TCP
}

const never = new AbortController().signal;
const request = (url: string) => ({ url, body: '{"event":"task.status"}', headers: { 'idempotency-key': 'k-1' } });
const at =
  (address: string): (() => Promise<readonly ResolvedAddress[]>) =>
  async () => [{ address, family: 4 }];
const open = (more: { timeoutMs?: number; resolve?: (host: string) => Promise<readonly ResolvedAddress[]> } = {}) =>
  new HttpCallbackSender({ guard: createAddressGuard('all'), ...more });

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

test('a name that leads to a private address, alone or among others, is not dialled', async () => {
  let calls = 0;
  const port = await serve((_incoming, response) => {
    calls += 1;
    response.end();
  });
  const guard = createAddressGuard([]);
  const private4 = new HttpCallbackSender({ guard, resolve: at('127.0.0.1') });
  const mixed = new HttpCallbackSender({
    guard,
    resolve: async () => [
      { address: '93.184.215.14', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ],
  });
  const mapped = new HttpCallbackSender({ guard, resolve: async () => [{ address: '::ffff:127.0.0.1', family: 6 }] });
  for (const sender of [private4, mixed, mapped]) {
    expect(await sender.send(request(`http://rebind.example:${port}/`), never)).toMatchObject({
      status: null,
      error: expect.stringContaining('not public'),
    });
  }
  for (const literal of ['127.0.0.1', '[::1]', '0x7f.1', '2130706433', '127.1', '[::ffff:7f00:1]', 'localhost']) {
    const sender = new HttpCallbackSender({ guard });
    const answer = await sender.send(request(`http://${literal}:${port}/`), never);
    expect([literal, answer.error]).toEqual([literal, expect.stringContaining('not public')]);
  }
  expect(calls).toBe(0);
});

test('redirects are not followed', async () => {
  let calls = 0;
  const port = await serve((_incoming, response) => {
    calls += 1;
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect(await open().send(request(`http://127.0.0.1:${port}/`), never)).toEqual({ status: 307, error: null });
  expect(calls).toBe(1);
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

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of incoming) text += chunk;
  return text;
}
