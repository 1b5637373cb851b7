import { createNodeRelayClient } from 'agent-relay-client/node';
import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { agentRelay } from './support/run-command.ts';

test('the whole inbox is shown, however many pages it has, and taken as it was shown', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  await client.agents.register({ id: 'Ada', name: 'Ada' });
  const send = (body: string) => client.messages.send({ from: 'Ada', to: 'owner', body });
  for (let sent = 0; sent < 130; sent += 1) await send(`number ${sent}`);
  for (let sent = 0; sent < 12; sent += 1) await send('x'.repeat(60_000));
  const shown = async (...options: string[]) =>
    (await agentRelay(relay, 'inbox', '--json', ...options)).out.split('\n').filter(Boolean).length;
  expect(await shown()).toBe(142);
  expect(await shown('--ack')).toBe(142);
  expect(await agentRelay(relay, 'inbox')).toMatchObject({ code: 0, out: '', notes: 'No messages.' });
});
