import { createNodeRelayClient } from 'agent-relay-client/node';
import type { RelayEvent } from 'agent-relay-protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeEvent } from '../src/cli/resources.ts';
import { startTestRelay, type TestRelay } from '../src/testing.ts';

let relay: TestRelay;
beforeAll(async () => {
  relay = await startTestRelay({ settings: { REAP_INTERVAL_MS: '20' } });
});
afterAll(() => relay.close());

const clientWith = (token?: string) => createNodeRelayClient({ url: relay.url, ...(token === undefined ? {} : { token }) });

/** What a reader of the log from a cursor gets, up to the first event of a type. */
async function readUntil(last: RelayEvent['type'], after: number, token?: string): Promise<RelayEvent[]> {
  await using client = clientWith(token);
  const events: RelayEvent[] = [];
  for await (const event of client.events({ after, signal: AbortSignal.timeout(20_000) })) {
    events.push(event);
    if (event.type === last) break;
  }
  return events;
}

test('making and revoking a token is told, with who did it, and neither with the token nor with its hash', async () => {
  await using owner = clientWith(relay.ownerToken);
  const { cursor } = await owner.messages.cursor();
  const { token: secret, ...token } = await owner.tokens.create({ name: 'ci', scopes: ['*'] });
  await using ci = clientWith(secret);
  const { token: childSecret, ...child } = await ci.tokens.create({ name: 'child', scopes: ['stats:read'] });
  await ci.tokens.revoke({ id: child.tokenId });
  const events = await readUntil('token.revoked', cursor, relay.ownerToken);
  const at = expect.any(Number);
  expect(events).toEqual([
    { type: 'token.created', seq: cursor + 1, at, token, by: 'owner' },
    { type: 'token.created', seq: cursor + 2, at, token: child, by: 'token:ci' },
    { type: 'token.revoked', seq: cursor + 3, at, token: child, by: 'token:ci' },
  ]);
  const records = await relay.relay.core.store.tokens.list('default');
  const hash = records.find(({ tokenId }) => tokenId === token.tokenId)?.hash ?? '';
  expect(hash).not.toBe('');
  for (const hidden of [secret, childSecret, hash]) expect(JSON.stringify(events)).not.toContain(hidden);
  expect(events.map((event) => describeEvent(event)?.replace(/^.*token /u, 'token '))).toEqual([
    'token ci (scoped) created by owner',
    'token child (scoped) created by token:ci',
    'token child (scoped) revoked by token:ci',
  ]);
});

test('a token that runs out is told once, by nobody', async () => {
  await using owner = clientWith(relay.ownerToken);
  const { cursor } = await owner.messages.cursor();
  const { tokenId } = await owner.tokens.create({ name: 'brief', scopes: ['stats:read'], expiresInMs: 1_000 });
  await owner.tokens.create({ name: 'after', scopes: ['stats:read'] });
  const events = await readUntil('token.expired', cursor, relay.ownerToken);
  expect(events.at(-1)).toMatchObject({ type: 'token.expired', token: { tokenId, name: 'brief' }, by: null });
  await relay.relay.reap();
  await owner.tokens.revoke({ id: (await owner.tokens.create({ name: 'end', scopes: ['stats:read'] })).tokenId });
  const types = (await readUntil('token.revoked', cursor, relay.ownerToken)).map(({ type }) => type);
  expect(types.filter((type) => type === 'token.expired')).toHaveLength(1);
});

test('a browser that logs in is told', async () => {
  const { seq } = await lastEvent();
  const code = new URL(await relay.createLoginLink()).hash.slice(1);
  await relay.relay.exchangeLoginCode(code);
  const events = await readUntil('token.created', seq, relay.ownerToken);
  expect(events).toEqual([expect.objectContaining({ token: expect.objectContaining({ kind: 'browser' }), by: 'owner' })]);
});

test('tokens are the owner’s to see: an observer, an agent and a tokenless reader get the rest of the log', async () => {
  await using owner = clientWith(relay.ownerToken);
  const observer = await owner.tokens.create({ name: 'eyes', kind: 'observer' });
  const agent = await owner.agents.register({ id: 'Nosy', name: 'Nosy', withToken: true });
  const { seq } = await lastEvent();
  await owner.tokens.create({ name: 'secret plan', kind: 'agent', agentId: 'Nosy' });
  await owner.messages.send({ to: 'broadcast', body: 'hello' });
  for (const token of [observer.token, agent.token, undefined]) {
    expect((await readUntil('message.new', seq, token)).map(({ type }) => type)).toEqual(['message.new']);
  }
  expect((await readUntil('message.new', seq, relay.ownerToken)).map(({ type }) => type)).toEqual(['token.created', 'message.new']);
});

async function lastEvent(): Promise<{ readonly seq: number }> {
  await using owner = clientWith(relay.ownerToken);
  return { seq: (await owner.messages.cursor()).cursor };
}
