import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay } from 'agent-relay-server/testing';
import { expect, test } from 'vitest';
import { connect, later, startBridge } from './bridge-world.ts';

async function world() {
  const relay = await startTestRelay();
  later(() => relay.close());
  const client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  later(() => client.close());
  const bridge = await startBridge({ relay: { url: relay.url, token: relay.ownerToken }, agentName: 'bridge', mode: 'agentic' });
  return { ...bridge, client, relay, relayUrl: relay.url };
}

test('a session is an agent of the relay: seen, prompted by mail, interrupted and released', async () => {
  const { url, client, claude } = await world();
  const page = await connect(`${url}?version=1.2`);
  page.send({ type: 'prompt', prompt: 'say hello', requestId: 'r1', projectId: 'shop' });
  expect(await page.end('r1')).toMatchObject({ type: 'complete' });
  const { data: agents } = await client.agents.list({});
  const agent = agents.find(({ id }) => id.startsWith('shop-claude-'));
  expect(agent).toMatchObject({ provider: 'claude', status: expect.stringMatching(/idle|online|busy/u) });
  const id = agent?.id ?? '';
  const { data: sessions } = await client.sessions.list({ agent: id });
  expect(sessions).toMatchObject([{ mode: 'agentic', status: 'running', cwd: claude.starts[0]?.cwd }]);

  await client.messages.send({ to: id, body: 'are you there?' });
  const prompted = await page.next(({ type, content }) => type === 'prompted' && String(content).includes('are you there?'));
  expect(prompted['requestId']).toMatch(/^turn:/u);

  page.send({ type: 'prompt', prompt: 'hang', requestId: 'r2', projectId: 'shop' });
  await expect.poll(() => claude.sessions[0]?.prompts.at(-1)?.text).toBe('hang');
  await expect.poll(async () => (await client.agents.get({ id })).status).toBe('busy');
  expect(await client.agents.interrupt({ id })).toEqual({ interrupted: true });
  expect(await page.end('r2')).toMatchObject({ type: 'error', message: 'Request cancelled' });

  page.send({ type: 'prompt', prompt: 'hang', requestId: 'r3', projectId: 'shop' });
  await expect.poll(() => claude.sessions[0]?.prompts.filter(({ text }) => text === 'hang').length).toBe(2);
  await client.agents.release({ id });
  expect(await page.end('r3')).toMatchObject({ type: 'error' });
  expect(claude.closedCount).toBe(1);
});

test('what the bridge ends is over for the relay, and the machine starts nothing else', async () => {
  const { url, client, bridge, claude } = await world();
  const page = await connect(url);
  page.send({ type: 'prompt', prompt: 'say hello', requestId: 'r1', projectId: 'p', systemPrompt: 'be brief' });
  await page.end('r1');
  expect(claude.starts[0]?.instructions).toMatch(/be brief$/u);
  const { data: nodes } = await client.nodes.list({});
  const node = nodes[0]?.nodeId ?? '';
  await expect(client.sessions.start({ name: 'stranger', provider: 'claude', node })).rejects.toMatchObject({ code: 'forbidden' });
  page.socket.terminate();
  await expect.poll(async () => (await client.sessions.list({ status: 'running' })).data).toEqual([]);
  expect(claude.closedCount).toBe(1);
  await bridge.stop();
  await expect.poll(async () => (await client.nodes.list({})).data[0]?.status).toBe('offline');
});

test('a client that asks what can be done while the relay is gone is told so, and ends nothing', async () => {
  const { url, relay } = await world();
  const page = await connect(url);
  await relay.close();
  page.send({ type: 'capabilities' });
  expect(await page.next(({ type }) => type === 'error' || type === 'capabilities')).toMatchObject({ type: 'error' });
});

test('a relay that is not there, or refuses, is said when the bridge starts', async () => {
  const { relayUrl } = await world();
  await expect(startBridge({ relay: { url: relayUrl, token: 'wrong' } })).rejects.toMatchObject({ code: 'unauthorized' });
});
