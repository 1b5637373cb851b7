import { request } from 'node:http';
import { ChannelMetaSchema } from 'agent-relay-protocol';
import { signBody } from 'agent-relay-wire/node';
import { expect, test } from 'vitest';
import { mail, post, secret, startWorld } from './world.ts';

test('a signed post becomes one message, however often it is posted, also by another process of the channel', async () => {
  await using world = await startWorld();
  const first = await world.openChannel();
  await world.relay.channels.bind({ id: 'shop', conversationId: '*', target: 'owner' });
  const taken = await post(first.url, mail('1'));
  expect(taken).toMatchObject({ status: 201, created: true });
  const { messageIds } = taken;
  expect(await world.relay.messages.get({ id: messageIds[0] ?? 0 })).toMatchObject({
    from: 'shop',
    to: 'id:owner',
    body: 'Where is it?',
    sender: { relation: 'channel' },
    meta: { channel: { conversationId: 'order-17', senderId: 'c1', senderName: 'Ann', externalId: '1' } },
  });
  expect(await post(first.url, mail('1'))).toMatchObject({ status: 200, created: false, messageIds });
  await first.stop();
  await using second = await world.openChannel();
  expect(await post(second.url, mail('1'))).toMatchObject({ status: 200, created: false, messageIds });
});

test('what is not signed with the secret, lately, over these bytes is refused before it is read', async () => {
  await using world = await startWorld();
  await using channel = await world.openChannel();
  await world.relay.channels.bind({ id: 'shop', conversationId: '*', target: 'owner' });
  const { cursor } = await world.relay.messages.cursor();
  const body = JSON.stringify(mail('1'));
  const now = Date.now();
  for (const signature of [
    null,
    '',
    signBody(body, 'another secret altogether', now),
    signBody(`${body} `, secret, now),
    signBody(body, secret, now - 301_000),
    signBody(body, secret, now + 302_000),
  ])
    expect(await post(channel.url, body, { signature })).toMatchObject({ status: 401, code: 'unauthorized' });
  expect(await post(channel.url, '{', { signature: null })).toMatchObject({ status: 401 });
  expect((await world.relay.messages.cursor()).cursor).toBe(cursor);
});

test('what is wrong is named, and what is unbound says how to bind it', async () => {
  await using world = await startWorld();
  await using channel = await world.openChannel();
  expect(await post(channel.url, mail('1'))).toMatchObject({
    status: 409,
    code: 'unbound_conversation',
    error: { message: expect.stringContaining('agent-relay channel bind shop order-17') },
  });
  expect(await post(channel.url, '{')).toMatchObject({ status: 400, code: 'parse_error' });
  expect(await post(channel.url, mail('1', { text: 'x' }))).toMatchObject({ status: 400, code: 'validation_failed' });
  expect(await post(channel.url, mail('1', { sender: { id: 'c1' } }))).toMatchObject({
    status: 400,
    error: { issues: [{ path: 'sender.name' }] },
  });
  expect(await post(channel.url, mail('1', { id: 'other' }))).toMatchObject({ status: 400, code: 'validation_failed' });
  expect(await post(channel.url, mail('1', { body: 'x'.repeat(1_100_000) }))).toMatchObject({ status: 413, code: 'payload_too_large' });
  expect(await post(`${channel.url}other`, mail('1'))).toMatchObject({ status: 404 });
  expect((await fetch(channel.url)).status).toBe(405);
});

test('a post that ends in the middle of its body harms nobody', async () => {
  await using world = await startWorld();
  await using channel = await world.openChannel();
  await world.relay.channels.bind({ id: 'shop', conversationId: '*', target: 'owner' });
  const half = request(channel.url, { method: 'POST', headers: { 'content-length': 100 } });
  half.on('error', () => {});
  half.write('{"half":');
  await new Promise((resolve) => setImmediate(resolve));
  half.destroy();
  expect((await post(channel.url, mail('1'))).status).toBe(201);
});

test('while the relay is away a post waits for it, and one whose answer was lost is known when it comes again', async () => {
  await using world = await startWorld();
  await using channel = await world.openChannel();
  await world.relay.channels.bind({ id: 'shop', conversationId: '*', target: 'owner' });
  await world.stopRelay();
  const waiting = post(channel.url, mail('1'));
  const lost = new AbortController();
  const body = JSON.stringify(mail('2'));
  const headers = { 'x-agent-relay-signature': signBody(body, secret, Date.now()) };
  const unanswered = fetch(channel.url, { method: 'POST', body, headers, signal: lost.signal }).catch(() => 'lost');
  await world.startRelay();
  expect(await waiting).toMatchObject({ status: 201 });
  lost.abort();
  await unanswered;
  const again = await post(channel.url, mail('2'));
  const { data } = await world.relay.messages.list({ to: 'owner' });
  expect(data.map(({ meta }) => ChannelMetaSchema.parse(meta?.['channel']).externalId).sort()).toEqual(['1', '2']);
  expect(data.map(({ id }) => id)).toContain(again.messageIds[0]);
});

test('the port that is taken is said, and the channel goes offline again', async () => {
  await using world = await startWorld();
  await using first = await world.openChannel({ id: 'first' });
  await expect(world.openChannel({ id: 'second', port: Number(new URL(first.url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect((await world.relay.channels.get({ id: 'second' })).status).toBe('offline');
});
