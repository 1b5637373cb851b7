import { createRelayClient } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { agentRelay } from './support/run-command.ts';

test('what the loop guard holds is listed, read, released and refused from a terminal', async () => {
  await using relay = await startTestRelay({ settings: { AGENT_RELAY_HOP_LIMIT: '1' } });
  const client = createRelayClient({ url: relay.url, token: relay.ownerToken });
  for (const id of ['Ada', 'Bob']) await client.agents.register({ id, name: id });
  const holdOne = async (words: string): Promise<number> => {
    const asked = await client.messages.send({ from: 'Ada', to: 'Bob', body: words });
    const answered = await client.messages.send({ from: 'Bob', replyTo: asked.id, body: words });
    await expect(client.messages.send({ from: 'Ada', replyTo: answered.id, body: words })).rejects.toMatchObject({ code: 'message_held' });
    return (await client.holds.list({ status: 'held', limit: 1 })).data[0]?.id ?? 0;
  };
  expect(await agentRelay(relay, 'holds')).toEqual({ code: 0, out: '', notes: 'No held messages.' });
  const first = await holdOne('to be released');
  const second = await holdOne('to be refused');
  expect((await agentRelay(relay, 'holds')).out).toMatch(/held +hops +Ada +id:Bob +1 +to be refused\n.*to be released/u);
  expect((await agentRelay(relay, 'holds', 'show', String(first))).out).toContain('without a person.\n\n    to be released');
  expect((await agentRelay(relay, 'holds', 'release', String(first))).out).toMatch(/is sent as \[msg:\d+\] to id:Bob, which reached 1\./u);
  expect(await agentRelay(relay, 'holds', 'refuse', String(second), '--because', 'enough')).toMatchObject({ code: 0 });
  expect(await agentRelay(relay, 'holds', 'release', String(second))).toMatchObject({
    code: 1,
    notes: expect.stringContaining('was refused by owner'),
  });
  expect((await agentRelay(relay, 'holds', 'list', '--status', 'all')).out.split('\n')).toHaveLength(3);
  expect((await agentRelay(relay, 'holds', '--status', 'lost')).code).toBe(2);
  const { id } = await client.messages.send({ to: 'Bob', body: 'go on' });
  for (const number of [String(id), `msg:${id}`, `[msg:${id}]`])
    expect((await agentRelay(relay, 'verify', number)).out).toBe(
      `The owner of this relay wrote message ${id}; the owner's own credential proves it.`,
    );
  await client.close();
});
