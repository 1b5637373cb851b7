import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { silentLog } from 'agent-relay-wire';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ScriptedProvider } from '../../host/test/scripted-provider.ts';
import { startTestRelay, type TestRelay } from '../../server/src/testing.ts';
import { clearWay, outgoingTo } from '../src/outgoing.ts';
import { runNode } from '../src/run-node.ts';
import { until } from './link-world.ts';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
/** Of a name that nobody resolves: it is reached through a proxy or not at all. */
const authority = fixture('relay.test.pem');

let folder: string;
let relay: TestRelay;
let front: Server;
let proxy: Server;
/** What the proxy was asked for, with what password. */
const asked: string[] = [];
const open = new Set<Socket>();

const portOf = (server: Server) => (server.address() as AddressInfo).port; // it listens on TCP
async function listening(server: Server): Promise<Server> {
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
function tunnel(one: Socket, other: Socket): void {
  for (const socket of [one, other]) {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => (socket === one ? other : one).destroy());
  }
  one.pipe(other).pipe(one);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outgoing-'));
  relay = await startTestRelay({ settings: { AGENT_RELAY_ALLOWED_HOSTS: 'relay.test' } });
  const port = Number(new URL(relay.url).port);
  const [key, cert] = [readFileSync(fixture('relay.test.key')), readFileSync(authority)];
  front = await listening(createTlsServer({ key, cert }, (socket) => tunnel(socket, connect(port, '127.0.0.1'))));
  const tunnels = createHttpServer();
  tunnels.on('connect', ({ url, headers }, socket: Socket) => {
    asked.push(`${url} ${headers['proxy-authorization'] ?? ''}`);
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    tunnel(socket, connect(portOf(front), '127.0.0.1'));
  });
  proxy = await listening(tunnels);
  asked.length = 0;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const socket of open) socket.destroy();
  for (const server of [front, proxy]) server.close();
  await relay.close();
  await rm(folder, { recursive: true });
});

/** Whatever this machine itself goes through. */
function proxied(): void {
  for (const name of ['https_proxy', 'http_proxy', 'all_proxy', 'no_proxy']) {
    vi.stubEnv(name, '');
    vi.stubEnv(name.toUpperCase(), '');
  }
  vi.stubEnv('HTTPS_PROXY', `http://me:secret@127.0.0.1:${portOf(proxy)}`);
}

test('a machine reaches its relay, and its agents their tools, through the proxy of its environment, by an authority of its own', async () => {
  proxied();
  const url = new URL(`https://relay.test:${portOf(front)}`);
  const provider = new ScriptedProvider();
  const node = await runNode({
    url,
    outgoing: await outgoingTo(url, authority),
    readToken: async () => relay.ownerToken,
    ...{ name: 'laptop', stateDir: join(folder, 'state'), allowedFolders: [], providers: [provider], log: silentLog },
    ...{ env: process.env, clock: Date },
  });
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  await until(async () => expect((await client.nodes.list({})).data).toMatchObject([{ name: 'laptop', status: 'online' }]));
  await client.sessions.start({ name: 'Worker', provider: 'scripted' });
  const [door] = provider.started[0]?.mcp ?? [];
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'relay_agents', arguments: {} } });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...door?.headers };
  expect(await (await fetch(door?.url ?? '', { method: 'POST', headers, body })).text()).toContain('Worker');
  const password = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  expect(new Set(asked)).toEqual(new Set([`relay.test:${portOf(front)} ${password}`]));
  await node.stop('over');
});

test('what NO_PROXY names, and this machine itself, is reached without one; a proxy that is none is said without its password', async () => {
  proxied();
  const url = new URL('https://relay.test');
  expect(await outgoingTo(url, null)).toMatchObject({ agent: expect.anything() });
  for (const own of ['http://127.0.0.1:4850', 'http://localhost:4850', 'https://[::1]:4850'])
    expect(await outgoingTo(new URL(own), null)).toBeUndefined();
  vi.stubEnv('NO_PROXY', '.example,relay.test');
  expect(await outgoingTo(url, null)).toBeUndefined();
  vi.stubEnv('NO_PROXY', '');
  vi.stubEnv('HTTPS_PROXY', 'socks5://me:secret@proxy.test');
  const refused = await outgoingTo(url, null).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'validation_failed', message: expect.stringMatching(/HTTPS_PROXY(?!.*secret)/u) });
});

test('that a proxy reads along where the way is not encrypted is known, and nothing else is said', async () => {
  proxied();
  const address = `http://me:secret@127.0.0.1:${portOf(proxy)}`;
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY']) vi.stubEnv(name, address);
  const said = async (relay: string) => clearWay(new URL(relay), await outgoingTo(new URL(relay), null));
  expect(await said('http://relay.test:4850')).toMatch(
    /^The way to http:\/\/relay\.test:4850 .* the proxy can read the token\. (?!.*secret)/u,
  );
  for (const safe of ['https://relay.test', 'http://127.0.0.1:4850', 'http://localhost:4850']) expect(await said(safe)).toBeNull();
  vi.stubEnv('NO_PROXY', 'relay.test');
  expect(await said('http://relay.test:4850')).toBeNull();
});

test('a file of authorities that holds none is named', async () => {
  proxied();
  const file = join(folder, 'ca.pem');
  const url = new URL('https://relay.test');
  await expect(outgoingTo(url, file)).rejects.toMatchObject({
    code: 'validation_failed',
    message: expect.stringContaining(`--ca: ${file}`),
  });
  for (const text of ['', '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n']) {
    await writeFile(file, text);
    await expect(outgoingTo(url, file)).rejects.toMatchObject({
      code: 'validation_failed',
      message: expect.stringContaining('no certificate'),
    });
  }
  const { ca = [] } = (await outgoingTo(url, authority)) ?? {};
  expect(ca.length).toBeGreaterThan(10);
  expect(ca.at(-1)).toBe(readFileSync(authority, 'utf8').trim());
});
