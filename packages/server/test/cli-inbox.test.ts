import { createNodeRelayClient } from 'agent-relay-client/node';
import { expect, test } from 'vitest';
import { runCli } from '../src/cli/run-cli.ts';
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

test('what cannot be reached is no matter of time', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  await client.agents.register({ id: 'shop', name: 'shop', kind: 'channel', transport: 'telegram' });
  const sending = agentRelay(relay, 'send', 'shop', 'hello', '--wait', 'seen', '--timeout', '20');
  await expect.poll(async () => (await client.messages.list({ from: 'owner' })).data.length).toBe(1);
  const [message] = (await client.messages.list({ from: 'owner' })).data;
  await client.deliveries.report({ id: 'shop', reports: [{ messageId: message?.id ?? 0, state: 'failed', reason: 'no conversation' }] });
  expect(await sending).toMatchObject({ code: 1, notes: expect.stringContaining('error: it does not get there: shop (failed)') });
});

test('what the system refuses is an error in words', async () => {
  await using relay = await startTestRelay();
  const notes: string[] = [];
  const code = await runCli(['agents', '--all', '--url', relay.url, '--token', relay.ownerToken], {
    env: { HOME: '/nonexistent' },
    cwd: '/',
    signal: new AbortController().signal,
    out: () => {
      throw Object.assign(new Error('EACCES: permission denied, open'), { code: 'EACCES', syscall: 'open' });
    },
    note: (line) => notes.push(line),
    ask: null,
  });
  expect([code, notes]).toEqual([1, ['error: EACCES: permission denied, open']]);
});
