import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { VERSION_HEADER } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { attachNode } from './support/fake-node.ts';
import { poll } from './support/poll.ts';
import { agentRelay } from './support/run-command.ts';

test('a machine that left is no fault, nor is what it lacked; one that is away with agents is', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const desk = await attachNode(relay.url, relay.ownerToken, 'desk');
  const laptop = await attachNode(relay.url, relay.ownerToken, 'laptop');
  const machines = async () => {
    const { code, out } = await agentRelay(relay, 'doctor');
    return [code, out.slice(out.search(/^.* Node desk/mu))];
  };
  const here = 'ok   Node desk: online\nok     claude: available, 1\n';
  expect(await machines()).toEqual([0, `${here}ok   Node laptop: online\nok     claude: available, 1`]);
  await client.sessions.start({ name: 'Worker', provider: 'claude', node: laptop.nodeId });
  await laptop.peer.close();
  await poll('it is away', async () => (await client.nodes.list({})).data.some(({ status }) => status === 'offline'));
  expect(await machines()).toEqual([1, `${here}BAD  Node laptop: offline, with Worker`]);
  await client.agents.remove({ id: 'Worker' });
  expect(await machines()).toEqual([0, `${here}-    Node laptop: offline`]);
  await desk.peer.close();
});

test('what is found is also said as JSON, and nothing of machines while the relay starts', async () => {
  await using relay = await startTestRelay();
  const { code, out } = await agentRelay(relay, 'doctor', '--json');
  const findings = out.split('\n').map((line) => JSON.parse(line) as { verdict: string; text: string });
  expect([code, findings.at(-1)]).toEqual([1, { verdict: 'bad', text: expect.stringMatching(/^No machine runs agents/u) }]);
  expect(findings.map(({ verdict }) => verdict).slice(0, -1)).toEqual(['ok', 'ok', 'ok']);
  const starting = { status: 'starting', version: '1.0.0', protocol: 1, parts: { localNode: { status: 'starting' } } };
  const server = createServer((request, response) => {
    const isHealth = request.url?.endsWith('/health') === true;
    response.writeHead(isHealth ? 200 : 503, { 'content-type': 'application/json', [VERSION_HEADER]: '1.0.0' });
    response.end(JSON.stringify(isHealth ? starting : {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const early = await agentRelay({ ...relay, url: `http://127.0.0.1:${port}` }, 'doctor');
  server.closeAllConnections();
  server.close();
  expect(early.out).toMatch(/\n\? +Relay 1\.0\.0 at .*\n\? +Machines and agents: not looked at while the relay starts/u);
  expect(early.code).toBe(0);
});

test('a machine that starts nothing, as its own file cannot be read, says why', async () => {
  await using relay = await startTestRelay();
  const reason = '/home/me/.agent-relay/node.yaml line 2: folder: there is no such key';
  const offers = ['claude', 'codex', 'gemini', 'goose'].map((id) => ({ id, available: false, version: null, reason }));
  const desk = await attachNode(relay.url, relay.ownerToken, 'desk', offers);
  const { code, out } = await agentRelay(relay, 'doctor');
  expect([code, out.slice(out.search(/^.* Node desk/mu))]).toEqual([
    1,
    `ok   Node desk: online\nBAD    nothing can be started there: ${reason}`,
  ]);
  await desk.peer.close();
});
