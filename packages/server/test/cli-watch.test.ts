import type { ActivityOptions } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import type { AgentEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { runCli } from '../src/cli/run-cli.ts';
import { startTestRelay } from '../src/testing.ts';
import { attachNode } from './support/fake-node.ts';
import { poll } from './support/poll.ts';

test('watch says once what both the log and the agent tell: its start, its mail, what it asks', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const { nodeId, peer } = await attachNode(relay.url, relay.ownerToken, 'laptop');
  const stop = new AbortController();
  const out: string[] = [];
  const notes: string[] = [];
  const watching = runCli(['watch', '--url', relay.url, '--token', relay.ownerToken], {
    env: { HOME: '/nonexistent' },
    cwd: '/',
    signal: stop.signal,
    out: (line) => out.push(line.slice('00:00:00  '.length)),
    note: (line) => notes.push(line),
    ask: null,
  });
  await poll('it watches', () => notes.length > 0);
  const { sessionId } = await client.sessions.start({ name: 'Worker', provider: 'claude', approval: 'guarded' });
  await poll('the start', () => out.includes('Worker started: claude'));
  const { id } = await client.messages.send({ to: 'Worker', body: 'Tidy up.' });
  const text = `[msg:${id}] from owner: Tidy up.\n[end msg:${id} owner 7f3a]`;
  const options = [{ id: 'yes', label: 'Yes', outcome: 'allow' as const }];
  const events: AgentEvent[] = [
    { type: 'session.started', cwd: '/folder', vendorSessionId: 'v' },
    { type: 'user.message', text, messageIds: [id] },
    { type: 'approval.requested', approvalId: 'a1', kind: 'execute', title: 'rm -rf dist', options },
    { type: 'approval.resolved', approvalId: 'a1', outcome: 'allowed', by: 'owner' },
    { type: 'text.completed', turnId: 't', itemId: 'i', text: 'All tidy.' },
  ];
  await peer.request('activity/append', { sessionId, entries: events.map((event, index) => ({ seq: index + 1, at: 1, event })) });
  await poll('its words', () => out.includes('Worker  → All tidy.'));
  await poll('the answer', () => out.includes('Worker: allowed by owner: rm -rf dist'));
  // The log and the agent's activity come by two streams.
  expect(out.toSorted()).toEqual(
    [
      'Worker is online',
      'Worker started: claude',
      `[msg:${id}] owner → id:Worker: Tidy up.`,
      'Worker asks: rm -rf dist (agent-relay approve a1)',
      'Worker: allowed by owner: rm -rf dist',
      'Worker  → All tidy.',
    ].toSorted(),
  );
  await using other = createNodeRelayClient({ url: relay.url, token: (await client.tokens.create({ name: 'ci', scopes: ['*'] })).token });
  const looking = new AbortController();
  const others: string[][] = [];
  const onWatchers: ActivityOptions['onWatchers'] = ({ watchers }) => others.push(watchers.map(({ by }) => by));
  const follows = (async () => {
    for await (const { agentId } of other.activity('Worker', { signal: looking.signal, onWatchers })) expect(agentId).toBe('Worker');
  })();
  await poll('who else looks', () => notes.includes('Worker: also watched by token:ci.'));
  await poll('the other is told as well', () => others.length > 0);
  await other.messages.send({ to: 'Worker', from: 'owner', body: 'Stop.', mode: 'urgent' });
  await poll('who else steers', () => out.includes('Worker is steered by token:ci too, beside owner'));
  const listed: string[] = [];
  await runCli(['agents', '--url', relay.url, '--token', relay.ownerToken], {
    env: { HOME: '/nonexistent' },
    cwd: '/',
    signal: stop.signal,
    out: () => {},
    note: (line) => listed.push(line),
    ask: null,
  });
  expect(listed).toContain('Worker is steered by owner, token:ci.');
  looking.abort();
  await follows;
  await poll('that it has gone', () => notes.includes('Worker: nobody else watches it now.'));
  expect(others).toEqual([['owner'], []]);
  // As it was: it may do no more than before.
  await peer.request('sessions/report', { sessionId, status: 'failed', reason: 'It crashed' });
  const again = `agent-relay spawn claude --name Worker --cwd /folder --no-ask --approval guarded --node ${nodeId}`;
  await poll('its end', () => out.includes(`Worker failed: It crashed. To start it again: ${again}`));
  stop.abort();
  expect(await watching).toBe(0);
  await peer.close();
});
