import { readFile } from 'node:fs/promises';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { tempHome } from 'agent-relay-testing';
import { expect, test } from 'vitest';
import { FakeAppServer } from '../../packages/codex-app-server/test/fake-app-server.ts';
import { nodeProcessOf } from '../support/node-process.ts';
import { startAgentRelay } from '../support/programs.ts';
import { until, untilGranted } from '../support/until.ts';

const agent = { name: 'Codex', provider: 'codex' } as const;

test('a relay-connect that is killed between a turn’s start and its echo: the message goes again where it did not come in, and not where it did', async () => {
  await using home = await tempHome();
  // It never says what became of a turn that it was asked for.
  await using server = await FakeAppServer.start({ 'thread/inject_items': () => ({}), 'turn/start': () => new Promise(() => {}) });
  if (server.endpoint.transport !== 'websocket') throw new Error('a fake listens on a WebSocket');
  await using relay = await startAgentRelay({ home, env: { CODEX_APP_SERVER: server.endpoint.url } });
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  await using client = createNodeRelayClient({ url: relay.url, token });
  await untilGranted('Codex', () => client.sessions.start({ ...agent, cwd: home.workFolder }));
  const asked = () => server.received.flatMap(({ method, params }) => (method === 'turn/start' ? [params] : []));
  const killAndGoOn = async () => {
    process.kill(await until('a relay-connect', () => nodeProcessOf(home)), 'SIGKILL');
    await untilGranted('Codex to be back', () => client.sessions.start({ ...agent, resume: true }), 120_000);
  };

  const { id } = await client.messages.send({ to: agent.name, body: 'once' });
  const [first] = await until('its turn', () => asked().length === 1 && asked());
  await killAndGoOn();
  const [, second] = await until('its turn', () => asked().length === 2 && asked());
  expect(second?.['clientUserMessageId']).toBe(first?.['clientUserMessageId']);

  const turnId = 'the-turn';
  const said = { type: 'userMessage', id: 'said', clientId: first?.['clientUserMessageId'], content: [{ type: 'text', text: 'once' }] };
  const data = [{ type: 'agentMessage', id: 'answer', text: 'read' }, said].map((item) => ({ turnId, item }));
  server.answer('thread/items/list', () => ({ data, nextCursor: null }));
  await killAndGoOn();
  await until('the receipt', async () => (await client.messages.deliveries({ id })).data[0]?.state === 'seen');
  await client.messages.send({ to: agent.name, body: 'the next' });
  const [, , third] = await until('the next turn', () => asked().length > 2 && asked());
  expect(JSON.stringify(third?.['input'])).toContain('the next');
  expect(third?.['clientUserMessageId']).not.toBe(first?.['clientUserMessageId']);
});

test('an agent that is started anew is not given what its earlier conversation read, nor what that one may still read', async () => {
  await using home = await tempHome();
  const turnId = 'the-turn';
  // The turn begins, and is the last that its relay-connect hears.
  await using server = await FakeAppServer.start({ 'thread/inject_items': () => ({}), 'turn/start': () => new Promise(() => {}) });
  if (server.endpoint.transport !== 'websocket') throw new Error('a fake listens on a WebSocket');
  let threads = 0;
  server.answer('thread/start', () => {
    threads += 1;
    return { thread: { id: `thread-${threads}`, status: { type: 'idle' } }, model: 'gpt-5.5', cwd: home.workFolder };
  });
  await using relay = await startAgentRelay({ home, env: { CODEX_APP_SERVER: server.endpoint.url } });
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  await using client = createNodeRelayClient({ url: relay.url, token });
  const start = () => untilGranted('Codex', () => client.sessions.start({ ...agent, cwd: home.workFolder }), 120_000);
  const asked = () => server.received.flatMap(({ method, params }) => (method === 'turn/start' ? [params] : []));
  await start();
  const { id } = await client.messages.send({ to: agent.name, body: 'once' });
  const [first] = await until('its turn', () => asked().length === 1 && asked());
  const conversation = first?.['threadId'];
  const ofEarlier = (data: readonly object[]) => (params: Record<string, unknown>) => ({
    data: params['threadId'] === conversation ? data : [],
    nextCursor: null,
  });
  server.answer('thread/turns/list', ofEarlier([{ id: turnId, status: 'inProgress', items: [] }]));
  process.kill(await until('a relay-connect', () => nodeProcessOf(home)), 'SIGKILL');
  await start();
  const lookedFor = () =>
    server.received.filter(({ method, params }) => method === 'thread/items/list' && params['threadId'] === conversation);
  await until('the first look', () => lookedFor().length > 0);
  const said = { type: 'userMessage', id: 'said', clientId: first?.['clientUserMessageId'], content: [{ type: 'text', text: 'once' }] };
  server.answer(
    'thread/items/list',
    ofEarlier([{ type: 'agentMessage', id: 'answer', text: 'read' }, said].map((item) => ({ turnId, item }))),
  );
  await until('the receipt', async () => (await client.messages.deliveries({ id })).data[0]?.state === 'seen');
  expect(asked()).toHaveLength(1);
  expect(threads).toBe(2);
});
