import { expect, test } from 'vitest';
import { mail, post, type Reaction, startOutside, startWorld, until } from './world.ts';

test('an answer is posted, signed, to the conversation and the message that it answers, and what answers it finds its thread', async () => {
  await using world = await startWorld();
  await using outside = await startOutside(() => ({ status: 200, body: { externalIds: ['out-1', 'out-2'] } }));
  await using channel = await world.openChannel({ deliverTo: outside.url });
  await using helper = await world.relay.register({ name: 'helper' });
  await world.relay.channels.bind({ id: 'shop', conversationId: 'order-17', target: 'helper' });
  const asked = (await post(channel.url, mail('1'))).messageIds[0] ?? 0;
  const answer = await helper.reply(asked, 'On its way.');
  await until('the receipt', async () => (await world.receipt(answer.id))?.[0] === 'delivered');
  expect(outside.deliveries).toMatchObject([
    {
      isSigned: true,
      conversationId: 'order-17',
      replyToExternalId: '1',
      message: { id: answer.id, from: 'helper', body: 'On its way.', threadId: asked, replyTo: asked },
    },
  ]);
  const thanks = await post(channel.url, mail('2', { replyToExternalId: 'out-2', body: 'Thanks' }));
  expect(await world.relay.messages.get({ id: thanks.messageIds[0] ?? 0 })).toMatchObject({
    to: 'id:helper',
    replyTo: answer.id,
    threadId: asked,
  });
});

test('what the outside gives no name is known by its number', async () => {
  await using world = await startWorld();
  await using outside = await startOutside(() => ({ status: 200, body: { externalIds: 'no list' } }));
  await using channel = await world.openChannel({ deliverTo: outside.url });
  await world.relay.channels.bind({ id: 'shop', conversationId: 'order-17', target: 'owner' });
  const { id } = await world.relay.messages.send({ to: 'shop', body: 'hello' });
  await until('the receipt', async () => (await world.receipt(id))?.[0] === 'delivered');
  const reply = await post(channel.url, mail('1', { replyToExternalId: String(id) }));
  expect((await world.relay.messages.get({ id: reply.messageIds[0] ?? 0 })).replyTo).toBe(id);
});

test('lost answers and failures are tried again under one key, in order, until the outside takes them', async () => {
  await using world = await startWorld();
  const reactions: Reaction[] = [
    'drop',
    { status: 500 },
    { status: 429, headers: { 'retry-after': '1' } },
    { status: 204 },
    { status: 204 },
  ];
  await using outside = await startOutside((_, count) => reactions[count - 1] ?? { status: 404 });
  await using channel = await world.openChannel({ deliverTo: outside.url });
  await world.relay.channels.bind({ id: 'shop', conversationId: 'order-17', target: 'owner' });
  const first = await world.relay.messages.send({ to: 'shop', body: 'first' });
  const second = await world.relay.messages.send({ to: 'shop', body: 'second' });
  await until('both receipts', async () => (await world.receipt(second.id))?.[0] === 'delivered');
  expect(await world.receipt(first.id)).toEqual(['delivered', null]);
  expect(outside.deliveries.map(({ message }) => message.body)).toEqual(['first', 'first', 'first', 'first', 'second']);
  expect(new Set(outside.deliveries.map(({ key }) => key)).size).toBe(2);
  expect(channel.url).toMatch(/^http:\/\/127\.0\.0\.1:/u);
});

test('a refusal, a redirect, a message that belongs nowhere and one that nobody takes in time fail, and the sender is told why', async () => {
  await using world = await startWorld();
  const answers: Record<string, Reaction> = {
    refused: { status: 410 },
    moved: { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
    unlucky: { status: 503 },
  };
  await using outside = await startOutside(({ message }) => answers[message.body] ?? { status: 204 });
  await using channel = await world.openChannel({ deliverTo: outside.url, giveUpAfterMs: 100 });
  await using helper = await world.relay.register({ name: 'helper' });
  const place = { meta: { channel: { conversationId: 'order-17' } } };
  const sent: { readonly id: number }[] = [];
  for (const [body, more] of [
    ['refused', place],
    ['moved', place],
    ['unlucky', place],
    ['nowhere', {}],
  ] as const)
    sent.push(await helper.send({ to: 'shop', body, ...more }));
  await until('the last', async () => (await world.receipt(sent[3]?.id ?? 0))?.[0] === 'failed');
  const receipts = await Promise.all(sent.map(({ id }) => world.receipt(id)));
  expect(receipts).toEqual([
    ['failed', 'It answered 410'],
    ['failed', 'It answered 302: redirects are not followed'],
    ['failed', 'Given up: It answered 503'],
    ['failed', expect.stringContaining('belongs to no conversation of shop')],
  ]);
  const told = (await world.relay.inbox.list({ id: 'helper', peek: true })).data.map(({ message }) => message.payload?.['messageId']);
  expect(told).toEqual(sent.map(({ id }) => id));
  await channel.stop();
  expect(await channel.ended).toBe(null);
});

test('what was not taken when the channel or the relay stopped is posted after the next start, under the same key, and only that', async () => {
  await using world = await startWorld();
  let isOpen = false;
  await using outside = await startOutside(({ message }) => ({ status: isOpen || message.body === 'first' ? 204 : 503 }));
  const before = await world.openChannel({ deliverTo: outside.url });
  await world.relay.channels.bind({ id: 'shop', conversationId: 'order-17', target: 'owner' });
  const first = await world.relay.messages.send({ to: 'shop', body: 'first' });
  const second = await world.relay.messages.send({ to: 'shop', body: 'second' });
  await until('an attempt', () => outside.deliveries.some(({ message }) => message.id === second.id));
  expect(await world.receipt(first.id)).toEqual(['delivered', null]);
  await before.stop();
  await world.stopRelay();
  const opening = world.openChannel({ deliverTo: outside.url });
  isOpen = true;
  await world.startRelay();
  await using _after = await opening;
  await until('the second receipt', async () => (await world.receipt(second.id))?.[0] === 'delivered');
  const [{ key: firstKey } = { key: '' }, ...others] = outside.deliveries;
  expect(others.length).toBeGreaterThan(1);
  expect(new Set(others.map(({ key }) => key)).size).toBe(1);
  expect(others[0]?.key).not.toBe(firstKey);
});

test('a channel without an address to post to says that it only brings messages in', async () => {
  await using world = await startWorld();
  await using channel = await world.openChannel();
  expect(await world.relay.channels.get({ id: 'shop' })).toMatchObject({ transport: 'webhook', direction: 'inbound' });
  const { id } = await world.relay.messages.send({ to: 'shop', body: 'hello' });
  await until('the receipt', async () => (await world.receipt(id))?.[0] === 'failed');
  expect((await world.receipt(id))?.[1]).toContain('inbound messages only');
  expect(channel.url).not.toBe('');
});

test('another process that becomes the channel ends this one, with why', async () => {
  await using world = await startWorld();
  await using outside = await startOutside();
  const older = await world.openChannel({ deliverTo: outside.url });
  await using _newer = await world.openChannel({ deliverTo: outside.url });
  await world.relay.channels.bind({ id: 'shop', conversationId: 'order-17', target: 'owner' });
  expect(await older.ended).toMatchObject({ code: 'stale_session' });
});
