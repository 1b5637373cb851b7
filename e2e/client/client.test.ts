import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRelayClient, type Message, type RelayClient, RelayError, type RelayEvent } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay, type TestRelay } from 'agent-relay-server/testing';
import { freePort } from 'agent-relay-testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';

const transports = [
  ['http', 'http', createRelayClient],
  ['socket', 'socket', createNodeRelayClient],
  ['a browser socket', 'socket', createRelayClient],
] as const;

describe.each(transports)('the client over %s', (_, transport, create) => {
  let server: TestRelay;
  let relay: RelayClient;

  beforeEach(async () => {
    server = await startTestRelay();
    relay = create({ url: server.url, token: server.ownerToken, transport });
  });

  afterEach(async () => {
    await relay.close();
    await server.close();
  });

  test('a message goes from one live agent to another and its answer comes back in the thread', async () => {
    const asker = await relay.register({ name: 'asker' });
    const helper = await relay.register({ name: 'helper', capabilities: ['review'] });
    const asked = await asker.send({ to: 'cap:review', body: 'Is it clean?' });
    expect(asked).toMatchObject({ matched: 1, duplicate: false, to: 'cap:review' });
    const question = await first(helper.inbox());
    expect(question).toMatchObject({ from: 'asker', body: 'Is it clean?' });
    await helper.reply(question, 'It is.');
    expect(await first(asker.inbox())).toMatchObject({ from: 'helper', body: 'It is.', replyTo: asked.id, threadId: asked.id });
    expect((await relay.messages.deliveries({ id: asked.id })).data).toMatchObject([
      { agentId: 'helper', state: 'answered', evidence: 'reply' },
    ]);
    await asker.close();
    await helper.close();
  });

  test('asking for the next message acknowledges the one before, and leaving the loop does not', async () => {
    const reader = await relay.register({ name: 'reader' });
    for (const body of ['one', 'two', 'three']) await relay.messages.send({ to: 'reader', body });
    const bodies: string[] = [];
    for await (const { body } of reader.inbox()) {
      bodies.push(body);
      if (body === 'two') break;
    }
    expect(bodies).toEqual(['one', 'two']);
    await until('the first acknowledgement', async () => (await peek('reader')).length === 2);
    expect(await peek('reader')).toEqual(['two', 'three']);
    await reader.close();
  });

  test('events follow a snapshot without a gap, filtered by type', async () => {
    const { cursor } = await relay.messages.cursor();
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const event of relay.events({ after: cursor, types: ['message'], signal: stop.signal })) {
        if (event.type === 'message.new') seen.push(event.message.body);
      }
    })();
    for (const body of ['a', 'b', 'c']) await relay.messages.send({ to: 'owner', body, from: 'relayed' });
    await until('three events', () => seen.length === 3);
    stop.abort();
    await following;
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  test('a cursor the log cannot continue throws gone with what is there, or is told and read on', async () => {
    const broken = relay.events({ after: 1_000_000 });
    await expect(broken.next()).rejects.toMatchObject({ code: 'gone', details: { reason: 'ahead' } });
    const resets: string[] = [];
    const stop = new AbortController();
    const events: RelayEvent[] = [];
    const reading = (async () => {
      for await (const event of relay.events({ after: 1_000_000, signal: stop.signal, onReset: ({ reason }) => resets.push(reason) }))
        events.push(event);
    })();
    await until('the reset', () => resets.length === 1);
    await relay.messages.send({ to: 'owner', body: 'after the reset', from: 'relayed' });
    await until('what came after it', () => events.some((event) => event.type === 'message.new'));
    stop.abort();
    await reading;
    expect(resets).toEqual(['ahead']);
  });

  test('one of many claims wins, its lease renews itself, and completing twice answers the same', async () => {
    const racers = await Promise.all(['r1', 'r2', 'r3', 'r4'].map((name) => relay.register({ name, tags: ['pool'] })));
    const work = await relay.messages.send({ to: 'tag:pool', body: 'fix it', claimable: true });
    const outcomes = await Promise.allSettled(racers.map((racer) => racer.claim(work, { leaseMs: 1_000 })));
    const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(won).toHaveLength(1);
    expect(lost.map((error) => error.code)).toEqual(['already_claimed', 'already_claimed', 'already_claimed']);
    const [claim] = won;
    const held = await relay.claims.get({ id: claim?.claimId ?? '' });
    const leaseOf = async () => {
      const now = await relay.claims.get({ id: claim?.claimId ?? '' });
      return now.status === 'held' ? now.leaseExpiresAt : 0;
    };
    const before = held.status === 'held' ? held.leaseExpiresAt : 0;
    await until('a renewal', async () => (await leaseOf()) > before);
    const done = await claim?.complete('done');
    expect(done).toMatchObject({ status: 'completed', result: 'done' });
    expect(await claim?.complete('done')).toEqual(done);
    await Promise.all(racers.map((racer) => racer.close()));
  });

  test('a newer process of the same agent replaces the older, which is told', async () => {
    const older = await relay.register({ name: 'single', heartbeatMs: 50 });
    const newer = await relay.register({ name: 'single' });
    expect(newer.epoch).toBe(older.epoch + 1);
    await until('the older to be told', () => older.signal.aborted);
    expect(older.signal.reason).toMatchObject({ code: 'stale_session' });
    expect(newer.signal.aborted).toBe(false);
    await expect(older.send({ to: 'owner', body: 'Still me' })).rejects.toMatchObject({ code: 'stale_session' });
    await newer.close();
  });

  test('what the relay refuses comes as its own error, with the field', async () => {
    const error = await relay.messages.send({ to: 'owner', body: '' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RelayError);
    expect(error).toMatchObject({ code: 'validation_failed', issues: [{ path: 'body' }] });
    await expect(relay.agents.get({ id: 'nobody' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(relay.messages.list({ for: 'owner', limit: 5, unread: true })).resolves.toMatchObject({ data: [] });
  });

  const peek = async (id: string) => (await relay.inbox.list({ id, peek: true })).data.map(({ message }) => message.body);
});

describe.each(transports)('over %s, when the relay goes and comes back', (_, transport, create) => {
  test('events, inbox and sends go on where they stood', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agent-relay-client-'));
    const port = await freePort();
    const start = () => startTestRelay({ databasePath: join(folder, 'relay.db'), settings: { PORT: String(port) } });
    let server = await start();
    const relay = create({ url: server.url, token: server.ownerToken, transport });
    const reader = await relay.register({ name: 'reader' });
    const writer = await relay.register({ name: 'writer' });
    const mail: string[] = [];
    const log: string[] = [];
    const states: string[] = [];
    const reading = Promise.all([
      (async () => {
        for await (const { body } of reader.inbox()) mail.push(body);
      })(),
      (async () => {
        const { cursor } = await relay.messages.cursor();
        for await (const event of relay.events({ after: cursor, onConnection: (state) => states.push(state) })) {
          if (event.type === 'message.new') log.push(event.message.body);
        }
      })(),
    ]);
    await until('the stream', () => states.includes('connected'));
    await writer.send({ to: 'reader', body: 'before' });
    await until('the first message', () => mail.length === 1 && log.length === 1);
    await server.close();
    const sending = writer.send({ to: 'reader', body: 'meanwhile' });
    server = await start();
    await sending;
    await writer.send({ to: 'reader', body: 'after' });
    await until('the rest', () => mail.length === 3 && log.length === 3);
    expect(mail).toEqual(['before', 'meanwhile', 'after']);
    expect(log).toEqual(['before', 'meanwhile', 'after']);
    expect(states.slice(0, 2)).toEqual(['connected', 'lost']);
    await writer.close();
    await reader.close();
    await relay.close();
    await reading;
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
});

async function first(messages: AsyncIterable<Message>): Promise<Message> {
  for await (const message of messages) return message;
  throw new Error('the inbox ended');
}
