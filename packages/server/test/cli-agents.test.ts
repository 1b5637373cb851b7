import { createNodeRelayClient } from 'agent-relay-client/node';
import { expect, test } from 'vitest';
import { runCli } from '../src/cli/run-cli.ts';
import { startTestRelay } from '../src/testing.ts';
import { attachNode } from './support/fake-node.ts';
import { agentRelay } from './support/run-command.ts';

test('an agent that has stalled is listed as one, with why, until it goes on', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const { peer } = await attachNode(relay.url, relay.ownerToken, 'laptop');
  const { sessionId } = await client.sessions.start({ name: 'Worker', provider: 'claude' });
  const tells = (seq: number, event: object) => peer.request('activity/append', { sessionId, entries: [{ seq, at: 1, event }] });
  await tells(1, { type: 'agent.error', code: 'no_progress', message: 'The turn stands still', willRetry: false });
  const listed = await agentRelay(relay, 'agents');
  expect(listed.out.split('\n')[1]).toMatch(/^Worker +\w+, stalled +claude /u);
  expect(listed.notes).toMatch(/^Worker has stalled since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: The turn stands still$/u);
  expect((await agentRelay(relay, '/status', '--agent', 'Worker')).out).toMatch(/^Worker: \w+, stalled, label -/u);
  await tells(2, { type: 'text.completed', turnId: 't', itemId: 'i', text: 'on' });
  expect(await agentRelay(relay, 'agents')).toEqual({ code: 0, out: expect.stringMatching(/\nWorker +\w+ +claude /u), notes: '' });
  await peer.close();
});

test('agents remove takes one out, whose senders are told, and says what is not there', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  for (const id of ['Gone', 'Quiet', 'Sender']) await client.agents.register({ id, name: id });
  for (const body of ['one', 'two']) await client.messages.send({ from: 'Sender', to: 'Gone', body });
  const remove = (id: string) => agentRelay(relay, 'agents', 'remove', id);
  expect(await remove('Gone')).toEqual({ code: 0, out: 'Gone is removed; 2 messages that waited for it failed', notes: '' });
  expect(await remove('Quiet')).toEqual({ code: 0, out: 'Quiet is removed', notes: '' });
  const { data: left } = await client.agents.list({ status: 'online' });
  expect(left.flatMap(({ id, kind }) => (kind === 'provider' ? [id] : []))).toEqual(['Sender']);
  expect(await remove('Sendr')).toMatchObject({ code: 1, notes: expect.stringMatching(/did you mean Sender\? \(not_found\)$/u) });
  expect(await remove('owner')).toMatchObject({ code: 1, notes: expect.stringContaining('(forbidden)') });
  expect(await agentRelay(relay, 'agents', 'remve', 'Sender')).toMatchObject({
    code: 2,
    notes: expect.stringContaining('did you mean remove?'),
  });
  expect((await agentRelay(relay, 'agents', 'list')).out).toBe((await agentRelay(relay, 'agents')).out);
});

test('an agent takes no other out with the credential of its machine', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  await client.agents.register({ id: 'Kept', name: 'Kept' });
  const notes: string[] = [];
  const code = await runCli(['agents', 'remove', 'Kept', '--url', relay.url, '--token', relay.ownerToken], {
    ...{ env: { HOME: '/nonexistent', AGENT_RELAY_AGENT_ID: 'Worker' }, cwd: '/', signal: new AbortController().signal, ask: null },
    out: () => {},
    note: (line) => notes.push(line),
  });
  expect([code, notes.join()]).toEqual([1, expect.stringContaining('a person decides this')]);
  expect(await client.agents.get({ id: 'Kept' })).toMatchObject({ id: 'Kept' });
});
