import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { PROTOCOL_VERSION, RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { describe, expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { openServer } from './support/open-server.ts';
import { poll } from './support/poll.ts';
import { rawRequest } from './support/raw-http.ts';

describe('health', () => {
  test('a relay that works names its parts, and that they are well', async () => {
    await using relay = await startTestRelay();
    const { status, body } = await rawRequest(`${relay.url}/api/health`);
    expect([status, body]).toEqual([
      200,
      {
        status: 'ok',
        version: RELAY_VERSION,
        protocol: PROTOCOL_VERSION,
        parts: { database: { status: 'ok' }, feed: { status: 'ok' }, disk: { status: 'ok' } },
      },
    ]);
  });

  test('a part that is degraded is said with its reason, and the relay still answers 200: it takes messages', async () => {
    const reason = 'The node of this machine is not connected';
    await using server = await openServer({ probes: { localNode: async () => ({ status: 'degraded', reason }) } });
    const { status, body } = await rawRequest(`${server.url}/api/health`);
    expect([status, body]).toMatchObject([200, { status: 'degraded', parts: { localNode: { status: 'degraded', reason } } }]);
  });

  test('a database that cannot be written is failing: 503 for probes, the same shape for people, over each transport', async () => {
    await using server = await openServer();
    await server.closeStore();
    const { status, body } = await rawRequest(`${server.url}/api/health`);
    const failing = { status: 'failing', parts: { database: { status: 'failing', reason: 'The store is closed' } } };
    expect([status, body]).toMatchObject([503, failing]);
    const client = createRelayClient({ url: server.url });
    expect(await client.system.health()).toMatchObject(failing);
    await client.close();
    const peer = new JsonRpcPeer(await connectWebSocket(`${server.url.replace('http', 'ws')}/ws`));
    expect(await peer.request('system/health', {})).toMatchObject(failing);
    await peer.close();
  });
});

/** A relay of another version, as far as a client sees it. */
async function anotherVersion(version: string): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-relay-version': version, 'x-relay-protocol': '7' });
    response.end('{"data":[],"cursor":0}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }; // it listens on TCP
}

describe('versions', () => {
  test.each(['http', 'socket'] as const)('a client over %s is told once what the relay runs', async (transport) => {
    await using relay = await startTestRelay();
    const seen: unknown[] = [];
    const client = createNodeRelayClient({
      url: relay.url,
      token: relay.ownerToken,
      transport,
      onVersion: (version) => seen.push(version),
    });
    for (let call = 0; call < 3; call += 1) await client.agents.list();
    await poll('the version is told', () => seen.length > 0);
    const own = { version: RELAY_VERSION, protocol: PROTOCOL_VERSION };
    expect(seen).toEqual([{ relay: own, client: own, matches: true }]);
    await client.close();
  });

  test('another version does not match, and nothing fails because of it', async () => {
    const { server, url } = await anotherVersion('9.9.9');
    const seen: { readonly matches: boolean; readonly relay: unknown }[] = [];
    const client = createRelayClient({ url, onVersion: (version) => seen.push(version) });
    expect((await client.agents.list()).data).toEqual([]);
    expect(seen).toMatchObject([{ matches: false, relay: { version: '9.9.9', protocol: 7 } }]);
    await client.close();
    server.close();
  });

  test('a node of another protocol is refused with both versions; one that attaches learns the relay’s', async () => {
    await using relay = await startTestRelay();
    const headers = { authorization: `Bearer ${relay.ownerToken}` };
    const peer = new JsonRpcPeer(await connectWebSocket(`${relay.url.replace('http', 'ws')}/ws`, { headers }));
    const node = { name: 'laptop', version: '9.9.9', providers: [], sessions: [] };
    const refused: unknown = await peer
      .request('nodes/attach', { ...node, protocol: PROTOCOL_VERSION + 1 })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RelayError);
    expect(refused).toMatchObject({ code: 'unsupported', message: expect.stringContaining(`protocol ${PROTOCOL_VERSION}, the node`) });
    expect(await peer.request('nodes/attach', { ...node, protocol: PROTOCOL_VERSION })).toMatchObject({ version: RELAY_VERSION });
    await peer.close();
  });

  test('a newer node that still speaks the relay’s protocol attaches, and what the relay does not know of it is passed over', async () => {
    await using relay = await startTestRelay();
    const headers = { authorization: `Bearer ${relay.ownerToken}` };
    const peer = new JsonRpcPeer(await connectWebSocket(`${relay.url.replace('http', 'ws')}/ws`, { headers }));
    const range = { protocol: PROTOCOL_VERSION + 1, minProtocol: PROTOCOL_VERSION };
    const newer = { name: 'laptop', version: '9.9.9', providers: [], sessions: [], ...range, shelves: ['of a later version'] };
    expect(await peer.request('nodes/attach', newer)).toMatchObject({ version: RELAY_VERSION, protocol: PROTOCOL_VERSION });
    expect(await peer.request('nodes/heartbeat', { sessions: [], mood: 'of a later version' })).toEqual({ release: [] });
    await peer.close();
  });
});
