import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { PROTOCOL_VERSION } from 'agent-relay-protocol';
import { type Clock, startTestRelay, type TestRelay } from '../../src/testing.ts';
import { as, FarNode, owner } from '../session-world.ts';
import { poll } from '../support/poll.ts';

const DAY_MS = 86_400_000;
export const integrationToken = 'ops-secret';

/** Where callbacks go: refuses them until it is told to take them. */
export class CallbackTarget implements AsyncDisposable {
  readonly refused: IncomingHttpHeaders[] = [];
  readonly taken: IncomingHttpHeaders[] = [];
  isUp = false;
  readonly #server = createServer((request, response) => {
    (this.isUp ? this.taken : this.refused).push(request.headers);
    request.resume();
    response.writeHead(this.isUp ? 204 : 503).end();
  });

  static async open(): Promise<CallbackTarget> {
    const target = new CallbackTarget();
    await new Promise<void>((resolve) => target.#server.listen(0, '127.0.0.1', resolve));
    return target;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`; // it listens on TCP
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export const startOn = (databasePath: string, target: CallbackTarget, clock?: Clock): Promise<TestRelay> =>
  startTestRelay({
    databasePath,
    ...(clock && { clock }),
    settings: {
      AGENT_RELAY_HOP_LIMIT: '2',
      AGENT_RELAY_PAIR_RATE_PER_MINUTE: '0',
      AGENT_RELAY_REPEAT_LIMIT: '0',
      AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: '1',
      AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE: '100000',
      AGENT_RELAY_INTEGRATIONS: JSON.stringify([{ name: 'ops', token: integrationToken, callbackUrl: target.url }]),
    },
  });

export const clientOf = (relay: TestRelay, token = relay.ownerToken): RelayClient => createNodeRelayClient({ url: relay.url, token });

/** A relay whose callback has been failing for longer than callbacks are tried. */
export async function leaveDeadCallback(databasePath: string, target: CallbackTarget): Promise<void> {
  const yesterday: Clock = {
    now: () => Date.now() - 2 * DAY_MS,
    schedule: (task, delayMs) => {
      const timer = setTimeout(task, delayMs);
      return () => clearTimeout(timer);
    },
  };
  const before = await startOn(databasePath, target, yesterday);
  await using ops = clientOf(before, integrationToken);
  await ops.integrations.report({ title: 'long ago', target: 'cap:ops', idempotencyKey: 'alarm-1' });
  await poll('it was tried', () => target.refused.length > 0);
  await before.close();
  const after = await startOn(databasePath, target);
  await using people = clientOf(after);
  await poll('it is dead', async () => (await people.callbacks.list({ status: 'dead' })).data.length === 1);
  await after.close();
}

/** One of everything that a relay keeps; answers what a person would have noted of it. */
export async function fill(relay: TestRelay, client: RelayClient) {
  for (const id of ['Ada', 'Bob', 'Cyd', 'Dan', 'Eve']) {
    await client.agents.register({ id, name: id, tags: ['team'], capabilities: ['ops'], instanceId: `${id}-1` });
  }
  const first = await client.messages.send({ from: 'Ada', to: 'Bob', body: 'first', idempotencyKey: 'once' });
  await client.inbox.ack({ id: 'Bob', ids: [first.id], state: 'seen' });
  const fanned = await client.messages.send({ from: 'Ada', to: 'tag:team', body: 'all of you', subject: 's', payload: { a: 1 } });
  await client.inbox.ack({ id: 'Cyd', ids: [fanned.id] });
  const answer = await client.messages.send({ from: 'Bob', replyTo: first.id, body: 'answer' });
  await fillWork(client);
  await fillPairs(client);
  await fillChannel(client);
  await client.messages.send({ from: 'Ada', replyTo: answer.id, body: 'third' });
  const lost = await client.messages.send({ to: 'Eve', body: 'lost' });
  await client.deliveries.report({ id: 'Eve', reports: [{ messageId: lost.id, state: 'failed', reason: 'no room' }] });
  await holdOne(client, answer.id);
  await tellBrowser(client);
  await askApproval(relay);
  await poll('a push waits', async () => (await relay.relay.core.store.pushes.origins('default')).length > 0);
  // The oldest entry becomes the checkpoint of the chain.
  await relay.relay.core.store.audit.prune(Number.MAX_SAFE_INTEGER, 1);
  return { first, tokens: await makeTokens(client) };
}

async function fillWork(client: RelayClient): Promise<void> {
  const offered = await client.messages.send({ to: 'cap:ops', body: 'work', claimable: true });
  await client.messages.claim({ id: offered.id, agentId: 'Dan' });
  const done = await client.messages.send({ to: 'cap:ops', body: 'done work', claimable: true });
  const { claimId, fence } = await client.messages.claim({ id: done.id, agentId: 'Dan' });
  await client.claims.complete({ id: claimId, fence, agentId: 'Dan', result: { ok: true } });
}

async function fillPairs(client: RelayClient): Promise<void> {
  const { id } = await client.pairs.request({ from: 'Ada', target: 'Bob', objective: 'talk' });
  await client.pairs.accept({ id, agentId: 'Bob' });
  await client.pairs.send({ id, from: 'Ada', body: 'in the pair' });
  const ended = await client.pairs.request({ from: 'Cyd', target: 'Dan', objective: 'no' });
  await client.pairs.reject({ id: ended.id, agentId: 'Dan', reason: 'busy' });
}

async function fillChannel(client: RelayClient): Promise<void> {
  await client.agents.register({ id: 'tg', name: 'tg', kind: 'channel', transport: 'telegram' });
  await client.channels.bind({ id: 'tg', conversationId: 'chat', target: 'Ada' });
  const sender = { id: 'u1', name: 'Ann' };
  const { messages } = await client.channels.receive({ id: 'tg', conversationId: 'chat', body: 'from outside', sender, externalId: 'x1' });
  const reply = await client.messages.send({ from: 'Ada', replyTo: messages[0]?.id ?? 0, body: 'to outside' });
  await client.channels.link({ id: 'tg', messageId: reply.id, conversationId: 'chat', externalIds: ['y1', 'y2'] });
}

async function holdOne(client: RelayClient, replyTo: number): Promise<void> {
  const third = await client.messages.send({ from: 'Ada', replyTo, body: 'once more' });
  const tooFar = { from: 'Bob', replyTo: third.id, body: 'too far' };
  for (const idempotencyKey of ['one', 'another']) await client.messages.send({ ...tooFar, idempotencyKey }).catch(() => {});
}

/** Its push service is nowhere, so that what is pushed waits. */
const tellBrowser = (client: RelayClient) =>
  client.push.subscribe({
    endpoint: 'https://push.invalid/a-browser',
    keys: {
      p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    },
    topics: ['approvals'],
  });

async function askApproval(relay: TestRelay): Promise<void> {
  const link = new FarNode();
  const providers = [{ id: 'claude', available: true, version: '1', reason: null }];
  const attachment = { name: 'laptop', version: '1', protocol: PROTOCOL_VERSION, providers, sessions: [] };
  await relay.relay.nodeHandlers['nodes/attach'](attachment, { ...as(owner), link });
  const start = { name: 'Worker', provider: 'claude', approval: 'guarded' as const };
  const { sessionId } = await relay.relay.handlers['sessions/start'](start, as(owner));
  const event = {
    type: 'approval.requested' as const,
    approvalId: 'a1',
    kind: 'execute' as const,
    title: 'Bash: npm test',
    cwd: '/',
    input: {},
    options: [{ id: 'allow', label: 'Allow', outcome: 'allow' as const }],
  };
  const used = { type: 'turn.completed' as const, turnId: 't1', outcome: 'finished' as const, usage: { inputTokens: 10, outputTokens: 5 } };
  const entries = [event, used].map((each, index) => ({ seq: index + 1, at: 1, event: each }));
  await relay.relay.nodeHandlers['activity/append']({ sessionId, entries }, { ...as(owner), link });
}

const makeTokens = async (client: RelayClient): Promise<readonly string[]> => [
  (await client.tokens.create({ name: 'ci', scopes: ['messages:write', 'messages:read'], targets: ['tag:team'] })).token,
  (await client.tokens.create({ name: 'bot', kind: 'agent', agentId: 'bot' })).token,
  (await client.tokens.create({ name: 'board', kind: 'observer' })).token,
];

/** Writes of every kind from several loops until it is told to stop. */
export function writeMeanwhile(client: RelayClient, ops: RelayClient) {
  const written = { count: 0 };
  let isOver = false;
  const rounds: readonly ((round: number) => Promise<unknown>)[] = [
    (round) => client.messages.send({ to: 'tag:team', body: 'x'.repeat(300), idempotencyKey: `fan-${round}` }),
    async (round) => {
      const { id } = await client.messages.send({ to: 'Cyd', body: 'mail', idempotencyKey: `mail-${round}` });
      await client.inbox.ack({ id: 'Cyd', ids: [id], state: 'seen' });
    },
    async () => {
      const { id } = await client.messages.send({ to: 'cap:ops', body: 'work', claimable: true });
      const { claimId, fence } = await client.messages.claim({ id, agentId: 'Cyd' });
      await client.claims.complete({ id: claimId, fence, agentId: 'Cyd' });
    },
    async () => {
      const { id } = await client.pairs.request({ from: 'Cyd', target: 'Dan', objective: 'talk' });
      await client.pairs.accept({ id, agentId: 'Dan' });
      await client.pairs.hangup({ id, agentId: 'Cyd' });
    },
    async (round) => {
      const { task } = await ops.integrations.report({
        title: 'load',
        target: 'cap:ops',
        dedupeKey: `load-${round % 3}`,
        idempotencyKey: `report-${round}`,
      });
      const { fence } = await client.tasks.claim({ id: task?.id ?? 0, agentId: 'Eve' });
      await client.tasks.status({ id: task?.id ?? 0, agentId: 'Eve', fence, status: round % 2 === 0 ? 'done' : 'open' });
    },
    async (round) => {
      const sender = { id: 'u1', name: 'Ann' };
      await client.channels.receive({ id: 'tg', conversationId: 'chat', body: 'hi', sender, externalId: `load-${round}` });
    },
  ];
  const loop = async (write: (round: number) => Promise<unknown>) => {
    for (let round = 0; !isOver; round += 1) {
      await write(round);
      written.count += 1;
    }
  };
  const loops = Promise.all(rounds.map(loop));
  const end = async () => {
    isOver = true;
    await loops;
  };
  return { written, end, [Symbol.asyncDispose]: end };
}
