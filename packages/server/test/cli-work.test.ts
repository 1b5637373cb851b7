import { createNodeRelayClient } from 'agent-relay-client/node';
import { expect, test } from 'vitest';
import { untilTime } from '../src/cli/claims.ts';
import { startTestRelay } from '../src/testing.ts';
import { agentRelay } from './support/run-command.ts';

test('what is offered is listed from a terminal, for one agent too, and with who has it', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  expect(await agentRelay(relay, 'work')).toEqual({ code: 0, out: '', notes: 'No work is open; --held lists what somebody has.' });
  for (const [id, capability] of [
    ['Ada', 'ops'],
    ['Bob', 'docs'],
  ] as const) {
    await client.agents.register({ id, name: id, capabilities: [capability] });
  }
  const ops = await client.messages.send({ to: 'cap:ops', body: 'Roll back\u001b[2J the release', claimable: true });
  const docs = await client.messages.send({ to: 'cap:docs', body: 'Write it up', claimable: true });
  const all = await agentRelay(relay, 'work');
  expect(all.out).toMatch(new RegExp(`\\[msg:${ops.id}\\] +owner +cap:ops +- +Roll back.* the release`, 'u'));
  expect(all.out).not.toContain('\u001b');
  expect(all.out).toContain(`[msg:${docs.id}]`);
  expect((await agentRelay(relay, 'work', '--for', 'Bob', '--json')).out.split('\n').map((line) => JSON.parse(line).message.id)).toEqual([
    docs.id,
  ]);
  const taken = await agentRelay(relay, 'claim', String(docs.id), '--agent', 'Bob');
  expect(taken.out).toMatch(/held by Bob until (?:\w{3} \w{3} \d\d \d{4} )?\d\d:\d\d:\d\d; claim /u);
  expect((await agentRelay(relay, 'work')).out).not.toContain('Write it up');
  expect((await agentRelay(relay, 'work', '--held')).out).toMatch(/cap:docs +by Bob until .*\d\d:\d\d:\d\d +Write it up/u);
  expect((await agentRelay(relay, 'work', '--for', 'Nobody')).code).toBe(1);
});

test('a lease that ends on another day says which', () => {
  const noon = new Date(2026, 4, 2, 12).getTime();
  expect(untilTime(noon, noon)).toBe('12:00:00');
  expect(untilTime(noon + 86_400_000, noon)).toBe('Sun May 03 2026 12:00:00');
});
