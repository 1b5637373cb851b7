import { createNodeRelayClient } from 'agent-relay-client/node';
import type { AgentEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { attachNode } from './support/fake-node.ts';
import { agentRelay } from './support/run-command.ts';

const said = (text: string): AgentEvent => ({ type: 'text.completed', turnId: 't', itemId: 'i', text });
const unshown: AgentEvent = { type: 'session.status', status: 'idle' };

test('logs shows as many lines as were asked for when there are, however much that is no line lies between', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const { peer } = await attachNode(relay.url, relay.ownerToken, 'laptop');
  const { sessionId } = await client.sessions.start({ name: 'Worker', provider: 'claude' });
  expect(await agentRelay(relay, 'logs', 'Worker')).toEqual({ code: 0, out: '', notes: 'Nothing yet.' });
  const events = [said('one'), said('two'), ...Array(150).fill(unshown), said('three'), ...Array(150).fill(unshown)];
  await peer.request('activity/append', { sessionId, entries: events.map((event, index) => ({ seq: index + 1, at: 1, event })) });
  const shown = async (...args: string[]) =>
    (await agentRelay(relay, 'logs', 'Worker', ...args)).out.split('\n').map((line) => line.replace(/^.*→ /u, ''));
  expect(await shown('--limit', '1')).toEqual(['three']);
  expect(await shown('--limit', '2')).toEqual(['two', 'three']);
  expect(await shown('--limit', '100')).toEqual(['one', 'two', 'three']);
  expect((await shown('--limit', '5', '--json')).map((line) => JSON.parse(line).seq)).toEqual([299, 300, 301, 302, 303]);
  await peer.close();
});

test('of an agent that no machine runs nothing is told, and logs says so', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  await client.agents.register({ id: 'Desk', name: 'Desk' });
  expect(await agentRelay(relay, 'logs', 'Desk')).toEqual({
    code: 0,
    out: '',
    notes: 'Nothing: no machine of this relay runs Desk, so what it does is not told here. Its mail is: agent-relay inbox --agent Desk',
  });
});
