import { createNodeRelayClient } from 'agent-relay-client/node';
import type { AgentEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { attachNode } from './support/fake-node.ts';
import { agentRelay } from './support/run-command.ts';

const events: readonly AgentEvent[] = [
  { type: 'tool.started', turnId: 't', itemId: 'i', name: 'Bash', kind: 'execute', title: 'npm test', input: { command: 'npm test' } },
  { type: 'file.changed', changes: [{ path: '/home/ada/src/auth.ts', change: 'updated' }] },
  { type: 'text.completed', turnId: 't', itemId: 'j', text: 'The tests pass\u001b[2J now' },
];

test('search and files find what was said and done, one line for each, without what a terminal would obey', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const { peer } = await attachNode(relay.url, relay.ownerToken, 'laptop');
  const { sessionId } = await client.sessions.start({ name: 'Worker', provider: 'claude' });
  await peer.request('activity/append', { sessionId, entries: events.map((event, index) => ({ seq: index + 1, at: Date.now(), event })) });
  const { id } = await client.messages.send({ to: 'Worker', body: 'Run the tests' });
  const lines = async (...args: string[]) => {
    const { code, out, notes } = await agentRelay(relay, ...args);
    return { code, notes, lines: out.split('\n').map((line) => line.replace(/^[\d-]+ [\d:]+ {2}/u, '')) };
  };

  const found = await lines('search', 'test');
  expect([...found.lines].sort()).toEqual([
    'Worker Bash: npm [test]',
    'Worker text.completed: The [tests] pass\ufffd[2J now',
    `[msg:${id}] owner → id:Worker: Run the [tests]`,
  ]);
  expect(found.code).toBe(0);
  expect((await lines('search', 'test', '--in', 'messages')).lines).toHaveLength(1);
  expect((await lines('search', 'test', '--tool', 'Bash', '--agent', 'Worker', '--since', 'today')).lines).toHaveLength(1);
  expect((await lines('files', 'src/auth.ts', '--since', '1h')).lines).toEqual(['Worker updated /home/ada/src/auth.ts']);
  expect((await lines('files')).lines).toHaveLength(1);
  expect(JSON.parse((await agentRelay(relay, 'search', '"the tests"', '--json', '--in', 'messages')).out)).toMatchObject({
    in: 'messages',
    id,
  });
  expect(await lines('search', 'nowhere')).toMatchObject({ code: 0, notes: 'Nothing found.' });
  expect((await lines('search', '***')).code).toBe(1);
  expect((await lines('search', 'x', '--since', 'soon')).notes).toContain('must be today');
  await peer.close();
});
