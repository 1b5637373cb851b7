import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { MIN_SUPPORTED_PROTOCOL, PROTOCOL_VERSION } from 'agent-relay-protocol';
import { ownerTokenPath } from 'agent-relay-server';
import { startTestRelay, type TestRelay } from 'agent-relay-server/testing';
import { freePort } from 'agent-relay-testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import * as earlier from './fixtures/earlier-build.mjs';

const folder = await mkdtemp(join(tmpdir(), 'neighbours-'));
const port = String(await freePort());
let relay: TestRelay;
let client: RelayClient;

const open = async () => {
  relay = await startTestRelay({ databasePath: join(folder, 'relay.db'), settings: { PORT: port } });
  client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
};
const close = async () => {
  await client.close();
  await relay.close();
};

beforeAll(open);
afterAll(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

test('the earlier build speaks the protocol of the version before, which is still spoken', () => {
  expect(earlier.PROTOCOL_VERSION).toBeGreaterThanOrEqual(MIN_SUPPORTED_PROTOCOL);
  expect(earlier.PROTOCOL_VERSION).toBe(Math.max(1, PROTOCOL_VERSION - 1));
});

describe('a node of the earlier build', () => {
  let node: ReturnType<typeof startEarlierNode>;
  let sessionId: string;

  beforeAll(async () => {
    node = startEarlierNode();
    await node.attached(1);
    ({ sessionId } = await client.sessions.start({ name: 'Scribe', provider: 'scribe', approval: 'guarded' }));
  });
  afterAll(() => node.end());

  test('is listed with what it offers, and its agent as one that is there', async () => {
    const { data } = await client.nodes.list();
    const providers = [{ id: 'scribe' }, { id: 'chisel' }];
    expect(data).toMatchObject([{ name: 'scriptorium', status: 'online', version: earlier.RELAY_VERSION, providers }]);
    expect(await client.agents.get({ id: 'Scribe' })).toMatchObject({ kind: 'provider', provider: 'scribe', epoch: 1, sessionId });
  });

  test('says what it lacks as it did when it attached, since it cannot be asked to look again', async () => {
    await expect(client.sessions.start({ name: 'Mason', provider: 'chisel' })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: 'The chisel is at the smith',
    });
  });

  test('hands its agent mail, and the receipt says that it was seen, by a turn', async () => {
    const { id } = await client.messages.send({ to: 'Scribe', body: 'Write this down.' });
    expect(await receiptIn('seen', id)).toMatchObject({ agentId: 'Scribe', evidence: 'turn', late: false, reason: null });
    expect(await activityOf(id)).toEqual(['turn.started', 'user.message', 'input.accepted', 'text.completed', 'turn.completed']);
  });

  test('lends its agent the tools: what it answers with them is the answer of that message', async () => {
    const { id } = await client.messages.send({ to: 'Scribe', body: 'Please answer.' });
    expect(await receiptIn('answered', id)).toMatchObject({ evidence: 'reply' });
    const { data } = await client.messages.list({ from: 'Scribe', newest: true });
    expect(data).toMatchObject([{ to: 'id:owner', body: 'As you say.', replyTo: id, sender: { principal: 'agent:Scribe' } }]);
  });

  test('sends what its agent says to others', async () => {
    const { cursor } = await client.messages.cursor();
    await client.messages.send({ to: 'Scribe', body: 'Now shout.' });
    const sent = await until('the shout', async () => (await client.messages.list({ from: 'Scribe', since: cursor })).data[0]);
    expect(sent).toMatchObject({ to: 'id:owner', body: 'Hear me.', sender: { principal: expect.stringMatching(/^node:/u) } });
  });

  test('lets a person decide what its agent asks', async () => {
    await client.messages.send({ to: 'Scribe', body: 'Go and ask.' });
    const asked = await until('the question', async () => (await client.approvals.list({ status: 'pending' })).data[0]);
    const { approvalId } = asked;
    expect(await client.approvals.resolve({ id: 'Scribe', approvalId, outcome: 'allow' })).toMatchObject({
      status: 'allowed',
      by: 'owner',
    });
    await until('what follows', async () => (await texts()).includes('The pen: allowed.'));
  });

  test('comes back to a relay that was away with the same agent, whose mail and activity go on', async () => {
    const before = await texts();
    await close();
    await open();
    await node.attached(2);
    const { id } = await client.messages.send({ to: 'Scribe', body: 'Write this down too.' });
    expect(await receiptIn('seen', id)).toMatchObject({ evidence: 'turn' });
    await until('the text', async () => (await texts()).length > before.length);
    expect(await texts()).toEqual([...before, 'Noted.']);
    expect(await client.agents.get({ id: 'Scribe' })).toMatchObject({ epoch: 1, sessionId });
  });

  test('ends its agent when that is asked, and leaves in order', async () => {
    await client.agents.release({ id: 'Scribe' });
    expect((await client.sessions.list({})).data).toMatchObject([{ agentId: 'Scribe', status: 'ended' }]);
    expect(await node.end()).toBe(0);
    await until('the node to be away', async () => (await client.nodes.list()).data[0]?.status === 'offline');
  });
});

describe.each(['http', 'socket'] as const)('a client of the earlier build over %s', (transport) => {
  let old: RelayClient;
  beforeAll(() => {
    old = earlier.createNodeRelayClient({ url: relay.url, token: relay.ownerToken, transport });
  });
  afterAll(() => old.close());

  test('speaks and listens as an agent, and its receipts are told', async () => {
    const [asker, helper] = [await old.register({ name: `asker-${transport}` }), await old.register({ name: `helper-${transport}` })];
    const asked = await asker.send({ to: helper.id, body: 'Is it clean?' });
    const question = await first(helper.inbox());
    expect(question).toMatchObject({ id: asked.id, from: asker.id, body: 'Is it clean?' });
    const answer = await helper.reply(question, 'It is.');
    expect(await first(asker.inbox())).toMatchObject({ id: answer.id, body: 'It is.', threadId: asked.id });
    expect((await old.messages.deliveries({ id: asked.id })).data).toMatchObject([{ state: 'answered', evidence: 'reply' }]);
    await asker.close();
    await helper.close();
  });

  test('takes work that is offered and completes it', async () => {
    const worker = await old.register({ name: `worker-${transport}`, tags: [transport] });
    const { id } = await old.messages.send({ to: `tag:${transport}`, body: 'Sort the shelf.', claimable: true });
    const claim = await worker.claim(id);
    await claim.complete({ shelf: 'sorted' });
    expect(await client.messages.get({ id })).toMatchObject({
      claim: { status: 'completed', agentId: worker.id, result: { shelf: 'sorted' } },
    });
    await worker.close();
  });

  test('reads the log on from a cursor and follows it, whatever else is told there', async () => {
    const { cursor } = await old.messages.cursor();
    const stop = new AbortController();
    const told: string[] = [];
    const following = (async () => {
      for await (const event of old.events({ after: cursor, signal: stop.signal })) {
        told.push(event.type === 'message.new' ? event.message.body : event.type);
      }
    })();
    await client.agents.register({ id: `teller-${transport}`, name: 'teller' });
    for (const body of ['one', 'two']) await client.messages.send({ to: 'owner', body });
    await until('the second message', () => told.includes('two'));
    stop.abort();
    await following;
    expect(told.filter((each) => ['agent.registered', 'one', 'two'].includes(each))).toEqual(['agent.registered', 'one', 'two']);
  });
});

test('a client of the earlier build follows what an agent does', async () => {
  await using old = earlier.createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const stop = new AbortController();
  const told: string[] = [];
  for await (const { event } of old.activity('Scribe', { after: 0, signal: stop.signal })) {
    told.push(event.type);
    if (event.type === 'session.ended') break;
  }
  expect([told[0], told.at(-1)]).toEqual(['session.started', 'session.ended']);
});

function startEarlierNode() {
  const program = fileURLToPath(new URL('./earlier-node.ts', import.meta.url));
  const args = [program, relay.url, ownerTokenPath(relay.databasePath), join(folder, 'node')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += String(chunk);
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return {
    attached: (times: number) =>
      until(`${times} attachments`, () => {
        if (child.exitCode !== null) throw new Error('the node ended: the relay did not take it');
        return printed.split('attached').length > times;
      }),
    end: () => {
      child.kill();
      return ended;
    },
  };
}

async function receiptIn(state: string, id: number) {
  return until(`a receipt of ${id} that says ${state}`, async () => {
    const { data } = await client.messages.deliveries({ id });
    return data.find((delivery) => delivery.state === state);
  });
}

const events = async () => (await client.agents.activity({ id: 'Scribe' })).data.map(({ event }) => event);
const texts = async () => (await events()).flatMap((event) => (event.type === 'text.completed' ? [event.text] : []));

/** The turn that a message was part of, once it is over. */
async function activityOf(messageId: number): Promise<readonly string[]> {
  return until('the end of the turn', async () => {
    const told = await events();
    const turn = told.find((event) => event.type === 'user.message' && event.messageIds?.includes(messageId));
    if (turn?.type !== 'user.message') return undefined;
    const of = told.filter(
      (event) => ('turnId' in event && event.turnId === turn.turnId) || (event.type === 'input.accepted' && event.messageId === messageId),
    );
    return of.at(-1)?.type === 'turn.completed' ? of.map(({ type }) => type) : undefined;
  });
}

async function first<Item>(stream: AsyncGenerator<Item, void, undefined>): Promise<Item> {
  for await (const item of stream) return item;
  throw new Error('the stream ended');
}
