import { createRelayClient } from 'agent-relay-client';
import { type Message, RelayError } from 'agent-relay-protocol';
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
