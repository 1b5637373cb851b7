import { createRelayClient } from 'agent-relay-client';
import { MAX_BODY_LENGTH } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';

test('NUL never gets past the door: one line refuses it, a text has U+FFFD in its place', async () => {
  await using relay = await startTestRelay({ arrivalMs: 0 });
  const client = createRelayClient({ url: relay.url, token: relay.ownerToken });
  await client.agents.register({ id: 'Ada', name: 'Ada' });
  const spawn = { name: 'w', provider: 'claude' };
  const issueAt = (path: string) => ({ code: 'validation_failed', issues: [expect.objectContaining({ path })] });
  for (const [path, refused] of [
    ['model', client.sessions.start({ ...spawn, model: 'a\nb' })],
    ['cwd', client.sessions.start({ ...spawn, cwd: '/a\u{2028}b' })],
    ['provider', client.sessions.start({ ...spawn, provider: 'claude\u{1B}' })],
    ['machine', client.agents.register({ name: 'b', machine: 'x\u{9B}' })],
    ['rig', client.agents.register({ name: 'b', rig: 'x\ny' })],
    ['label', client.agents.register({ name: 'b', label: 'x\u{202E}y' })],
    ['id', client.agents.register({ id: 'find', name: 'b' })],
  ] as const)
    await expect(refused).rejects.toMatchObject(issueAt(path));
  const sent = await client.messages.send({ to: 'Ada', body: 'a\0b', idempotencyKey: 'k\0', meta: { deep: [{ text: '\0' }] } });
  expect(sent).toMatchObject({ body: 'a\u{FFFD}b', meta: { deep: [{ text: '\u{FFFD}' }] } });
  expect(await client.sessions.start({ ...spawn, model: 'a\0b' }).catch((error: Error) => error.message)).not.toContain('null bytes');
  await client.close();
});

test('a length counts characters: as many emoji as letters', async () => {
  await using relay = await startTestRelay();
  const client = createRelayClient({ url: relay.url, token: relay.ownerToken });
  await client.agents.register({ id: 'Ada', name: 'Ada' });
  const { id } = await client.messages.send({ to: 'Ada', body: '😀'.repeat(MAX_BODY_LENGTH) });
  expect([...(await client.messages.get({ id })).body]).toHaveLength(MAX_BODY_LENGTH);
  for (const character of ['x', '😀'])
    await expect(client.messages.send({ to: 'Ada', body: character.repeat(MAX_BODY_LENGTH + 1) })).rejects.toMatchObject({
      code: 'validation_failed',
    });
  await client.close();
});
