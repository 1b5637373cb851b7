import { createNodeRelayClient } from 'agent-relay-client/node';
import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { agentRelay } from './support/run-command.ts';

test('a conversation is bound with the command that the refusal names, listed and unbound', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  expect(await agentRelay(relay, 'channels')).toMatchObject({ code: 0, notes: 'No channels.' });
  await using channel = await client.channel({ name: 'phone', transport: 'sms' });
  await using helper = await client.register({ name: 'helper', tags: ['ops'] });
  expect((await agentRelay(relay, 'channels')).out).toMatch(/^CHANNEL .*\nphone +sms +both +online +- +- +- +-$/u);
  for (const conversationId of ['-100200', '-x y', "it's"]) {
    const mail = { conversationId, body: 'hello', sender: { id: 'u', name: 'Ann' }, externalId: '1' };
    const refusal = await channel.receive(mail).catch((error: Error) => error.message);
    const [, command = ''] = /agent-relay (channel bind .*) <agent or group>$/u.exec(String(refusal)) ?? [];
    const words = [...command.matchAll(/'(?:[^']|'\\'')*'|\S+/gu)].map(([word]) => word.replace(/^'|'$/gu, '').replaceAll("'\\''", "'"));
    const bound = await agentRelay(relay, ...words, 'helper');
    expect([conversationId, bound.code, bound.notes]).toEqual([conversationId, 0, '']);
    expect((await channel.receive(mail)).messages[0]?.to).toBe(`id:${helper.id}`);
  }
  const fanned = await agentRelay(relay, 'channel', 'bind', '--mode', 'fanout', 'phone', '*', 'tag:ops');
  expect(fanned.out).toMatch(/^binding [0-9a-f]{12}: phone conversation \* → tag:ops \(fanout\)$/u);
  const [, bindingId = ''] = /^binding (\w+)/u.exec(fanned.out) ?? [];
  expect((await agentRelay(relay, 'channels')).out).toContain(`tag:ops    fanout     ${bindingId}`);
  expect((await agentRelay(relay, 'channels', '--json')).out).toContain('"conversationId":"*"');
  expect(await agentRelay(relay, 'channel', 'unbind', bindingId)).toMatchObject({ code: 0, out: expect.stringMatching(/^ended: /u) });
  expect(await agentRelay(relay, 'channel', 'unbind', bindingId)).toMatchObject({ code: 1, out: '' });
  expect(await agentRelay(relay, 'channel', 'bind', 'phone', '-100200', 'tag:ops')).toMatchObject({
    code: 1,
    notes: expect.stringContaining('(busy)'),
  });
  expect((await agentRelay(relay, 'channel', 'bind', 'helper', '1', 'helper')).notes).toContain('No channel has the id helper');
  expect((await agentRelay(relay, 'channel', 'bind', 'phone', '1', 'helper', '--mode', 'all')).code).toBe(2);
});
