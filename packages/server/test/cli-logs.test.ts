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

test('logs is narrowed by time, type and session, and tells everything of it with --all, however much that is', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const { peer } = await attachNode(relay.url, relay.ownerToken, 'laptop');
  const now = Date.now();
  const tool: AgentEvent = { type: 'tool.started', turnId: 't', itemId: 'i', name: 'shell', kind: 'execute', title: 'npm test' };
  const append = async (name: string, events: readonly (readonly [minutesAgo: number, AgentEvent])[]) => {
    const { sessionId } = await client.sessions.start({ name, provider: 'claude' });
    const entries = events.map(([minutesAgo, event], index) => ({ seq: index + 1, at: now - minutesAgo * 60_000, event }));
    for (let from = 0; from < entries.length; from += 1_000)
      await peer.request('activity/append', { sessionId, entries: entries.slice(from, from + 1_000) });
    return sessionId;
  };
  const first = await append('Worker', [[90, said('old')], ...Array(1_500).fill([80, said('then')]), [70, tool]]);
  await client.agents.release({ id: 'Worker' });
  const second = await append('Worker', [
    [60, said('later')],
    [10, tool],
    [5, said('now')],
  ]);
  const lines = async (...args: string[]) =>
    (await agentRelay(relay, 'logs', 'Worker', ...args, '--json')).out.split('\n').map((line) => JSON.parse(line));
  const seqs = async (...args: string[]) => (await lines(...args)).map(({ seq }) => seq);
  expect(await seqs('--since', '30m', '--session', second)).toEqual([2, 3]);
  expect(await seqs('--type', 'tool', '--session', first)).toEqual([1502]);
  expect((await lines('--type', 'text.completed', '--limit', '2')).map(({ event }) => event.text)).toEqual(['later', 'now']);
  expect(await seqs('--session', first, '--all')).toEqual(Array.from({ length: 1_502 }, (_, index) => index + 1));
  expect(await seqs('--all', '--since', '75m', '--type', 'tool.started')).toEqual([1502, 2]);
  expect(await seqs('--since', '75m', '--type', 'tool')).toEqual([1502, 2]);
  expect(await agentRelay(relay, 'logs', 'Worker', '--all', '--type', 'dream')).toEqual({ code: 0, out: '', notes: 'Nothing of that.' });
  await peer.close();
});
