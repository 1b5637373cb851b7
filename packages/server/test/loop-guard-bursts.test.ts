import { createRelayClient } from 'agent-relay-client';
import { type Hold, type Message, RelayError } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';

const RATE = 5;
const settings = {
  AGENT_RELAY_PAIR_RATE_PER_MINUTE: String(RATE),
  AGENT_RELAY_REPEAT_LIMIT: '3',
  AGENT_RELAY_HOP_LIMIT: '0',
  AGENT_RELAY_THREAD_RATE_PER_MINUTE: '0',
};
/** Two agents that speak in turns, and say the same each time. */
const said = Array.from({ length: 40 }, (_, index) => {
  const [from, to] = index % 2 === 0 ? (['a', 'b'] as const) : (['b', 'a'] as const);
  return { from, to: `id:${to}`, body: `I am ${from}.` };
});

type Send = (message: (typeof said)[number]) => Promise<unknown>;

async function openRelay(): Promise<TestRelay> {
  const relay = await startTestRelay({ settings });
  const client = createRelayClient({ url: relay.url, token: relay.ownerToken });
  for (const id of ['a', 'b']) await client.agents.register({ id, name: id });
  return relay;
}

/** Over one socket, as an agent's host sends. */
async function overSocket(relay: TestRelay, use: (send: Send) => Promise<void>): Promise<void> {
  const peer = new JsonRpcPeer(await connectWebSocket(`${relay.url.replace('http', 'ws')}/ws`), {});
  await use((message) => peer.request('messages/send', message, { timeoutMs: 30_000 }));
  await peer.close();
}

const isHeld = async (sending: Promise<unknown>): Promise<boolean> => {
  try {
    await sending;
    return false;
  } catch (error) {
    if (error instanceof RelayError && error.code === 'message_held') return true;
    throw error;
  }
};

test('a burst on one socket is held where the same messages are held one by one', async () => {
  const oneByOne: boolean[] = [];
  await using patient = await openRelay();
  await overSocket(patient, async (send) => {
    for (const message of said) oneByOne.push(await isHeld(send(message)));
  });
  let inOneBurst: boolean[] = [];
  await using hasty = await openRelay();
  await overSocket(hasty, async (send) => {
    inOneBurst = await Promise.all(said.map((message) => isHeld(send(message))));
  });
  expect(oneByOne.filter(Boolean).length).toBeGreaterThan(10);
  expect(inOneBurst).toEqual(oneByOne);
});

test('what comes by HTTP at once is held after as many exchanges', async () => {
  await using relay = await openRelay();
  const client = createRelayClient({ url: relay.url, token: relay.ownerToken });
  const unlike = said.map((message, index) => ({ ...message, body: `${message.body} ${index}` }));
  const post = (message: Send extends (message: infer Said) => unknown ? Said : never) =>
    fetch(`${relay.url}/api/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message),
    }).then(({ status }) => status);
  const answers = await Promise.all(unlike.map(post));
  expect([...new Set(answers)].sort()).toEqual([201, 409]);
  const { data } = await client.messages.list({ limit: 100 });
  const sent: readonly Pick<Message, 'id' | 'from'>[] = data.filter(({ from }) => from !== 'relay').sort((one, other) => one.id - other.id);
  expect(sent).toHaveLength(answers.filter((status) => status === 201).length);
  // Held ones are no part of the conversation: those that were sent never exchange more than the rate.
  expect(sent.filter(({ from }, index) => index > 0 && sent[index - 1]?.from !== from)).toHaveLength(RATE);
});

/** Each with words of its own, so that it is known again. */
const distinct = (message: (typeof said)[number], index: number) => ({ ...message, body: `${index}: ${message.body}` });
const begun = said.slice(0, RATE + 3).map(distinct);
const further = said.slice(RATE + 3).map((message, index) => distinct(message, begun.length + index));

interface Way {
  readonly send: (message: (typeof said)[number]) => Promise<unknown>;
  readonly release: (id: number) => Promise<unknown>;
}

const bySocket = async (relay: TestRelay, use: (way: Way) => Promise<void>): Promise<void> => {
  const headers = { authorization: `Bearer ${relay.ownerToken}` };
  const peer = new JsonRpcPeer(await connectWebSocket(`${relay.url.replace('http', 'ws')}/ws`, { headers }), {});
  await use({
    send: (message) => isHeld(peer.request('messages/send', message, { timeoutMs: 30_000 })),
    release: (id) => peer.request('holds/release', { id }, { timeoutMs: 30_000 }),
  });
  await peer.close();
};

const byHttp = (relay: TestRelay): Way => {
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${relay.ownerToken}` };
    const { status } = await fetch(`${relay.url}/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect([201, 409]).toContain(status);
  };
  return { send: (message) => post('messages', message), release: (id) => post(`holds/${id}/release`, {}) };
};

/** What became of all, in the order in which it was decided: what was sent, and what was held and why. */
async function outcomeOf(relay: TestRelay) {
  const client = createRelayClient({ url: relay.url, token: relay.ownerToken });
  const holds: readonly Hold[] = (await client.holds.list({ limit: 100 })).data;
  const sent = (await client.messages.list({ limit: 100 })).data.filter(({ from }) => from !== 'relay');
  const releases = new Set(holds.flatMap((hold) => (hold.status === 'released' ? [hold.messageId] : [])));
  return [
    ...sent.map(({ id, body }) => ({ id, body, became: releases.has(id) ? 'released' : 'sent' })),
    ...holds.map(({ id, rule, reason, attempts, message: { body } }) => ({ id, body, became: `held ${rule} ${attempts} ${reason}` })),
  ]
    .sort((one, other) => one.id - other.id)
    .map(({ id: _itsOwn, ...what }) => what);
}

/** The first that is held, after what is said one by one. */
async function firstHold(relay: TestRelay, { send }: Way): Promise<number> {
  for (const message of begun) await send(message);
  const { data } = await createRelayClient({ url: relay.url, token: relay.ownerToken }).holds.list({ limit: 100 });
  return data.at(-1)?.id ?? 0;
}

test('with a release among them, one by one and in one burst on one socket the same is held, for the same reasons', async () => {
  await using patient = await openRelay();
  await bySocket(patient, async (way) => {
    const id = await firstHold(patient, way);
    for (const message of further.slice(0, 10)) await way.send(message);
    await way.release(id);
    for (const message of further.slice(10)) await way.send(message);
  });
  await using hasty = await openRelay();
  await bySocket(hasty, async (way) => {
    const id = await firstHold(hasty, way);
    const first = further.slice(0, 10).map(way.send);
    await Promise.all([...first, way.release(id), ...further.slice(10).map(way.send)]);
  });
  const outcome = await outcomeOf(patient);
  expect(outcome.filter(({ became }) => became === 'sent').length).toBeGreaterThan(2 * RATE);
  expect(outcome.filter(({ became }) => became.startsWith('held')).length).toBeGreaterThan(10);
  expect(await outcomeOf(hasty)).toEqual(outcome);
});

test('with a release among them, what came by HTTP at once is held as the same would be one by one in the order in which it came', async () => {
  await using hasty = await openRelay();
  const way = byHttp(hasty);
  const id = await firstHold(hasty, way);
  const first = further.slice(0, 10).map(way.send);
  await Promise.all([...first, way.release(id), ...further.slice(10).map(way.send)]);
  const outcome = await outcomeOf(hasty);
  await using patient = await openRelay();
  const one = byHttp(patient);
  const again = await firstHold(patient, one);
  const words = new Map(further.map((message) => [message.body, message]));
  for (const { body, became } of outcome) {
    const message = words.get(body);
    if (became === 'released') await one.release(again);
    else if (message) await one.send(message);
  }
  expect(await outcomeOf(patient)).toEqual(outcome);
  expect(outcome.filter(({ became }) => became === 'released')).toHaveLength(1);
});
