import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelHandle, createRelayClient, type OutgoingMail, type RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay, type TestRelay } from 'agent-relay-server/testing';
import { freePort } from 'agent-relay-testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';

const transports = [
  ['http', 'http', createRelayClient],
  ['socket', 'socket', createNodeRelayClient],
] as const;
const ann = { id: 'u1', name: 'Ann' };

describe.each(transports)('a channel over %s', (_, transport, create) => {
  let folder: string;
  let port: string;
  let server: TestRelay;
  let relay: RelayClient;

  const start = () => startTestRelay({ databasePath: join(folder, 'relay.db'), settings: { PORT: port } });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agent-relay-channel-'));
    port = String(await freePort());
    server = await start();
    relay = create({ url: server.url, token: server.ownerToken, transport });
  });

  afterEach(async () => {
    await relay.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const receipt = async (id: number) => {
    const [delivery] = (await relay.messages.deliveries({ id })).data;
    return delivery && [delivery.state, delivery.evidence, delivery.reason];
  };
  const take = async (channel: ChannelHandle, settle: (mail: OutgoingMail) => Promise<void>): Promise<OutgoingMail> => {
    for await (const mail of channel.outgoing()) {
      await settle(mail);
      return mail;
    }
    throw new Error('There was no mail');
  };

  test('a question from outside and its answer meet in one thread, in the conversation it came from', async () => {
    await using channel = await relay.channel({ name: 'phone', transport: 'sms' });
    await using helper = await relay.register({ name: 'helper' });
    expect(await channel.bind({ conversationId: '+41', target: 'helper' })).toMatchObject({ target: 'id:helper', created: true });
    const { messages, created } = await channel.receive({ conversationId: '+41', body: 'Is it up?', sender: ann, externalId: 'sms-1' });
    expect([created, messages[0]?.from, messages[0]?.to]).toEqual([true, 'phone', 'id:helper']);
    for await (const message of helper.inbox()) {
      await helper.reply(message, 'It is up.');
      break;
    }
    const mail = await take(channel, (each) => each.sent(['sms-2', 'sms-3']));
    expect([mail.message.body, mail.conversationId, mail.replyToExternalId]).toEqual(['It is up.', '+41', 'sms-1']);
    expect(await receipt(mail.message.id)).toEqual(['delivered', 'accepted', null]);
    const thanks = { conversationId: '+41', body: 'Thanks', sender: ann, externalId: 'sms-4', replyToExternalId: 'sms-3' };
    const { messages: answers } = await channel.receive(thanks);
    expect(answers).toMatchObject([{ to: 'id:helper', replyTo: mail.message.id, threadId: messages[0]?.threadId }]);
    await channel.unbind((await relay.channels.get({ id: 'phone' })).bindings[0] ?? { bindingId: '' });
    expect((await relay.channels.list()).data.map(({ id, bindings }) => [id, bindings])).toEqual([['phone', []]]);
  });

  test('what the outside refuses fails with its reason, and what belongs nowhere says why', async () => {
    await using channel = await relay.channel({ name: 'phone', transport: 'sms' });
    await using helper = await relay.register({ name: 'helper' });
    const { id } = await helper.send({ to: 'phone', body: 'hello?' });
    const mail = await take(channel, (each) => each.failed());
    expect([mail.conversationId, mail.problem]).toEqual([null, expect.stringContaining('belongs to no conversation of phone')]);
    expect(await receipt(id)).toEqual(['failed', null, mail.problem]);
    for await (const notice of helper.inbox()) {
      expect([notice.from, notice.payload]).toMatchObject(['relay', { type: 'channel.failed', channelId: 'phone', messageId: id }]);
      break;
    }
  });

  test('mail comes oldest first and once; what was left unsettled comes again in the next reading and after a restart', async () => {
    const registration = { name: 'phone', transport: 'sms', instanceId: 'one' } as const;
    const first = await relay.channel(registration);
    await first.bind({ conversationId: '+41', target: 'owner' });
    for (const body of ['one', 'two', 'three']) await relay.messages.send({ to: 'phone', body });
    const seen: string[] = [];
    for await (const mail of first.outgoing()) {
      seen.push(mail.message.body);
      if (mail.message.body === 'two') await mail.sent(['sms-2']);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(['one', 'two', 'three']);
    expect((await take(first, async () => {})).message.body).toBe('one');
    await first.close();
    await server.close();
    server = await start();
    await using second = await relay.channel({ ...registration, instanceId: 'two' });
    const left: string[] = [];
    for await (const mail of second.outgoing()) {
      left.push(mail.message.body);
      await mail.sent([]);
      if (left.length === 2) break;
    }
    expect(left).toEqual(['one', 'three']);
    await until('nothing waits', async () => (await relay.inbox.list({ id: 'phone', peek: true })).data.length === 0);
  });

  test('while the relay is away, what comes in and what went out wait for it, and each is told once', async () => {
    await using channel = await relay.channel({ name: 'phone', transport: 'sms' });
    await channel.bind({ conversationId: '+41', target: 'owner' });
    const { id } = await relay.messages.send({ to: 'phone', body: 'going out' });
    const mails = channel.outgoing();
    const { value: mail } = await mails.next();
    await server.close();
    const received = channel.receive({ conversationId: '+41', body: 'coming in', sender: ann, externalId: 'sms-1' });
    const sent = mail?.sent(['sms-2']);
    server = await start();
    expect((await received).created).toBe(true);
    await sent;
    expect(await receipt(id)).toEqual(['delivered', 'accepted', null]);
    await relay.messages.send({ to: 'phone', body: 'the next' });
    expect((await mails.next()).value?.message.body).toBe('the next');
  });

  test('a newer process of the same channel ends the older one', async () => {
    const older = await relay.channel({ name: 'phone', transport: 'sms', heartbeatMs: 20 });
    await using newer = await relay.channel({ name: 'phone', transport: 'sms' });
    await newer.bind({ conversationId: '+41', target: 'owner' });
    await until('the older is told', () => older.signal.aborted);
    const mail = { conversationId: '+41', body: 'x', sender: ann, externalId: 'sms-1' };
    await expect(older.receive(mail)).rejects.toMatchObject({ code: 'stale_session' });
    expect((await newer.receive(mail)).created).toBe(true);
  });
});
