import { createNodeRelayClient } from 'agent-relay-client/node';
import type { AgentEvent, CreateToken, Principal } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { codeOf, World } from './core/world.ts';
import { attachNode } from './support/fake-node.ts';
import { nodeToken } from './support/node-token.ts';

const HOP_LIMITED = { settings: { AGENT_RELAY_HOP_LIMIT: '1' } };

async function start(options: Parameters<typeof startTestRelay>[0] = {}) {
  const relay = await startTestRelay(options);
  const owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const anonymous = createNodeRelayClient({ url: relay.url });
  const opened = [owner, anonymous];
  const withToken = async (request: Omit<CreateToken, 'name'>) => {
    const client = createNodeRelayClient({ url: relay.url, token: (await owner.tokens.create({ name: 'test', ...request })).token });
    opened.push(client);
    return client;
  };
  const close = async () => {
    for (const client of opened) await client.close();
    await relay.close();
  };
  return { relay, owner, anonymous, withToken, [Symbol.asyncDispose]: close };
}

for (const kind of ['agent', 'channel'] as const) {
  test(`whoever holds a token of kind ${kind} is spoken for by that token and the owner alone, from before it registers`, async () => {
    await using world = await start();
    const { owner, anonymous, withToken } = world;
    await owner.agents.register({ id: 'other', name: 'other' });
    const held = await withToken({ kind, agentId: 'held' });
    const program = await withToken({ scopes: ['messages:read', 'messages:write', 'agents:write', 'tasks:write', 'pairs:write'] });
    for (const stranger of [anonymous, program]) {
      expect(await codeOf(stranger.agents.register({ id: 'held', name: 'held' }))).toBe('forbidden');
      expect(await codeOf(stranger.messages.send({ from: 'held', to: 'other', body: 'x' }))).toBe('forbidden');
    }
    expect(
      await held.agents.register({ id: 'held', name: 'held', instanceId: 'one', kind: kind === 'channel' ? 'channel' : 'provider' }),
    ).toMatchObject({ protected: true, epoch: 1 });
    const { id } = await owner.messages.send({ to: 'held', body: 'private', claimable: false });
    const work = await owner.messages.send({ to: 'held', body: 'work', claimable: true });
    for (const stranger of [anonymous, program]) {
      const attempts: Promise<unknown>[] = [
        stranger.agents.register({ id: 'held', name: 'held', instanceId: 'two' }),
        stranger.agents.heartbeat({ id: 'held' }),
        stranger.agents.label({ id: 'held', label: 'mine' }),
        stranger.agents.tags({ id: 'held', tags: [] }),
        stranger.agents.status({ id: 'held', status: 'offline' }),
        stranger.agents.ready({ id: 'held', ready: false }),
        stranger.agents.remove({ id: 'held' }),
        stranger.inbox.list({ id: 'held' }),
        stranger.inbox.list({ id: 'held', peek: true }),
        stranger.inbox.ack({ id: 'held', ids: [id] }),
        stranger.messages.read({ id, agentId: 'held' }),
        stranger.messages.verify({ id, agentId: 'held' }),
        stranger.messages.send({ from: 'held', to: 'other', body: 'x' }),
        stranger.messages.claim({ id: work.id, agentId: 'held' }),
        stranger.pairs.request({ from: 'held', target: 'other', objective: 'x' }),
      ];
      expect(new Set(await Promise.all(attempts.map(codeOf)))).toEqual(new Set(['forbidden']));
    }
    expect(await codeOf(held.inbox.list({ id: 'held' }))).toBe('none');
    const after = await owner.agents.register({ id: 'held', name: 'held', instanceId: 'by the owner' });
    expect(after).toMatchObject({ epoch: 2, protected: true });
  });
}

test('the card says that an agent holds a token for as long as it does', async () => {
  await using world = await start();
  const { owner } = world;
  await owner.agents.register({ id: 'card', name: 'card' });
  const first = await owner.tokens.create({ name: 'one', kind: 'agent', agentId: 'card' });
  const second = await owner.tokens.create({ name: 'two', kind: 'agent', agentId: 'card' });
  expect((await owner.agents.get({ id: 'card' })).protected).toBe(true);
  await owner.tokens.revoke({ id: first.tokenId });
  expect((await owner.agents.get({ id: 'card' })).protected).toBe(true);
  await owner.tokens.revoke({ id: second.tokenId });
  expect((await owner.agents.get({ id: 'card' })).protected).toBe(false);
});

test('a restart forgets no protection', async () => {
  await using world = await World.open();
  const { call } = world;
  const owner: Principal = { type: 'owner', workspace: 'default' };
  await call['tokens/create']({ name: 'kept', kind: 'agent', agentId: 'kept' }, world.as(owner));
  await world.restart();
  expect(await codeOf(world.register('kept'))).toBe('forbidden');
});

test('a token that is narrowed to targets acts upon nobody else, whatever the act', async () => {
  await using world = await start();
  const { owner, withToken } = world;
  for (const id of ['mine', 'theirs']) await owner.agents.register({ id, name: id });
  const program = await withToken({
    scopes: [
      'agents:write',
      'messages:read',
      'messages:write',
      'tasks:write',
      'pairs:write',
      'sessions:write',
      'events:read',
      'workspace:read',
      'approvals:read',
      'approvals:write',
    ],
    targets: ['id:mine'],
  });
  const acts = async (id: string) => {
    const mail = await owner.messages.send({ to: id, body: 'x' });
    const work = await owner.messages.send({ to: id, body: 'x', claimable: true });
    const sent = await owner.messages.send({ from: id, to: 'owner', body: 'x' });
    const attempts: (() => Promise<unknown>)[] = [
      () => program.agents.register({ id, name: id }),
      () => program.agents.heartbeat({ id }),
      () => program.agents.label({ id, label: 'x' }),
      () => program.agents.tags({ id, tags: ['x'] }),
      () => program.agents.status({ id, status: 'idle' }),
      () => program.agents.ready({ id, ready: true }),
      () => program.inbox.list({ id }),
      () => program.inbox.list({ id, peek: true }),
      () => program.messages.read({ id: mail.id, agentId: id }),
      () => program.inbox.ack({ id, ids: [mail.id] }),
      () => program.messages.claim({ id: work.id, agentId: id }),
      () => program.messages.remove({ id: sent.id, agentId: id }),
      () => program.messages.send({ from: id, to: 'id:mine', body: 'x' }),
      () => program.agents.activity({ id }),
      () => program.approvals.list({ agent: id }),
      () => program.agents.remove({ id }),
    ];
    const codes: string[] = [];
    for (const attempt of attempts) codes.push(await codeOf(attempt()));
    return codes;
  };
  expect(new Set(await acts('mine'))).toEqual(new Set(['none']));
  const refused = await acts('theirs');
  expect(refused.every((code) => code === 'forbidden_target' || code === 'forbidden')).toBe(true);
  expect(await codeOf(program.agents.register({ id: 'made-up', name: 'made-up' }))).toBe('forbidden_target');
  expect(await codeOf(program.approvals.list())).toBe('forbidden');
});

test('a held message is released and refused by a scope of its own, and only by who may act for its sender and write to its recipient', async () => {
  await using world = await start(HOP_LIMITED);
  const { owner, withToken } = world;
  for (const id of ['a', 'b']) await owner.agents.register({ id, name: id });
  const hold = async () => {
    const asked = await owner.messages.send({ from: 'a', to: 'id:b', body: `ask ${Math.random()}` });
    const answered = await owner.messages.send({ from: 'b', replyTo: asked.id, body: `answer ${Math.random()}` });
    expect(await codeOf(owner.messages.send({ from: 'a', replyTo: answered.id, body: `again ${Math.random()}` }))).toBe('message_held');
    return (await owner.holds.list({ status: 'held' })).data[0]?.id ?? 0;
  };
  const decide = async (request: Omit<CreateToken, 'name'>) => {
    const client = await withToken(request);
    const id = await hold();
    const outcomes = [await codeOf(client.holds.release({ id }))];
    if (outcomes[0] === 'none') outcomes.push(await codeOf(client.holds.refuse({ id: await hold() })));
    else {
      outcomes.push(await codeOf(client.holds.refuse({ id })));
      await owner.holds.refuse({ id });
    }
    return outcomes;
  };
  expect(await decide({ scopes: ['messages:write'] })).toEqual(['forbidden_scope', 'forbidden_scope']);
  expect(await decide({ scopes: ['holds:write'] })).toEqual(['none', 'none']);
  for (const targets of [['id:z'], ['id:b']]) {
    expect(await decide({ scopes: ['holds:write', 'workspace:read'], targets })).toEqual(['forbidden_target', 'forbidden_target']);
    // Who may not read it either is not told whose it is.
    expect(await decide({ scopes: ['holds:write'], targets })).toEqual(['not_found', 'not_found']);
  }
  expect(await decide({ scopes: ['holds:write'], targets: ['id:a', 'id:b'] })).toEqual(['none', 'none']);
  expect(await decide({ kind: 'agent', agentId: 'c' })).toEqual(['forbidden_scope', 'forbidden_scope']);
});

test("nobody ends an integration's task, reports or registers by naming it", async () => {
  const integrations = JSON.stringify([{ name: 'ci', token: 'a-token-of-the-integration-ci-itself', scopes: ['tasks:write'] }]);
  await using world = await start({ settings: { AGENT_RELAY_INTEGRATIONS: integrations } });
  const { relay, owner, anonymous, withToken } = world;
  await owner.agents.register({ id: 'ops', name: 'ops' });
  const ci = createNodeRelayClient({ url: relay.url, token: 'a-token-of-the-integration-ci-itself' });
  const { task } = await ci.integrations.report({ title: 'broken', target: 'ops', dedupeKey: 'k' });
  const id = task?.id ?? 0;
  for (const stranger of [anonymous, await withToken({ scopes: ['tasks:write', 'messages:write', 'agents:write'] })]) {
    expect(await codeOf(stranger.tasks.status({ id, agentId: 'ci', status: 'done' }))).toBe('forbidden');
    expect(await codeOf(stranger.integrations.report({ source: 'ci', title: 'x', dedupeKey: 'k', status: 'resolved' }))).toBe('forbidden');
    expect(await codeOf(stranger.messages.send({ from: 'ci', to: 'ops', body: 'x' }))).toBe('forbidden');
    expect(await codeOf(stranger.agents.register({ id: 'ci', name: 'ci' }))).toBe('forbidden');
  }
  expect((await owner.tasks.get({ id })).status).toBe('open');
  expect((await ci.tasks.status({ id, status: 'done' })).status).toBe('done');
  await ci.close();
});

test('a program that is narrowed ends no task of its named source that goes to somebody else', async () => {
  await using world = await start();
  const { owner, anonymous, withToken } = world;
  for (const id of ['ops', 'dev']) await owner.agents.register({ id, name: id });
  await anonymous.integrations.report({ source: 'cron', title: 'x', target: 'ops', dedupeKey: 'k' });
  const program = await withToken({ scopes: ['tasks:write'], targets: ['id:dev'] });
  for (const status of ['open', 'resolved'] as const)
    expect(
      await codeOf(
        program.integrations.report({
          source: 'cron',
          title: 'x',
          dedupeKey: 'k',
          status,
          ...(status === 'open' ? { target: 'dev' } : {}),
        }),
      ),
    ).toBe('forbidden_target');
});

test('what agents ask is shown to the scope that names it, and a machine sees its own agents only', async () => {
  await using world = await start();
  const { relay, owner, withToken } = world;
  const own = await attachNode(relay.url, await nodeToken(relay.relay, 'own'), 'own');
  const other = await attachNode(relay.url, await nodeToken(relay.relay, 'other'), 'other');
  const { sessionId } = await owner.sessions.start({ name: 'asker', provider: 'claude', node: 'own', approval: 'guarded' });
  const options = [{ id: 'allow', label: 'Allow', outcome: 'allow' as const }];
  const event: AgentEvent = { type: 'approval.requested', approvalId: 'q', kind: 'execute', title: 'rm', input: {}, options };
  await own.peer.request('activity/append', { sessionId, entries: [{ seq: 1, at: 1, event }] });

  const eventsOf = async (principal: Principal, withinMs: number) => {
    const ending = new AbortController();
    const { batches } = await relay.relay.openEvents({ after: 0, types: ['approval'] }, { principal, signal: ending.signal });
    const first = await Promise.race([
      batches[Symbol.asyncIterator]().next(),
      new Promise<null>((resolve) => setTimeout(() => resolve(null), withinMs).unref()),
    ]);
    ending.abort();
    return first?.value !== undefined;
  };
  const given = (scopes: CreateToken['scopes'] & object): Principal => ({
    type: 'token',
    kind: 'scoped',
    workspace: 'default',
    tokenId: 't',
    name: 't',
    agentId: null,
    scopes,
    targets: null,
    channels: null,
  });
  const node = (nodeId: string): Principal => ({ type: 'node', workspace: 'default', nodeId });
  expect(await eventsOf(given(['events:read']), 300)).toBe(false);
  expect(await eventsOf(given(['events:read', 'approvals:read']), 60_000)).toBe(true);
  expect(await eventsOf({ ...given(['events:read', 'approvals:read']), targets: ['id:z'] } as Principal, 300)).toBe(false);
  expect(await eventsOf(node('own'), 60_000)).toBe(true);
  expect(await eventsOf(node('other'), 300)).toBe(false);

  const reader = await withToken({ scopes: ['events:read', 'workspace:read', 'sessions:read', 'sessions:write'] });
  expect((await reader.agents.activity({ id: 'asker' })).data).toEqual([]);
  expect(await codeOf(reader.approvals.list({ agent: 'asker' }))).toBe('forbidden');
  expect(await codeOf(reader.approvals.resolve({ id: 'asker', approvalId: 'q', outcome: 'allow' }))).toBe('forbidden_scope');
  const board = await withToken({ scopes: ['events:read', 'workspace:read', 'approvals:read'] });
  expect((await board.agents.activity({ id: 'asker' })).data.map((entry) => entry.event.type)).toEqual(['approval.requested']);
  expect((await board.approvals.list()).data.map(({ approvalId }) => approvalId)).toEqual(['q']);

  expect(await codeOf(other.peer.request('agents/activity', { id: 'asker' }))).toBe('forbidden');
  expect(await codeOf(other.peer.request('activity/subscribe', { id: 'asker' }))).toBe('forbidden');
  expect(await codeOf(other.peer.request('approvals/list', { agent: 'asker' }))).toBe('forbidden');
  expect(await codeOf(own.peer.request('agents/activity', { id: 'asker' }))).toBe('none');
  expect(await codeOf(own.peer.request('approvals/list', { agent: 'asker' }))).toBe('none');
  for (const { peer } of [own, other]) await peer.close();
});

test('nobody starts an agent in the name of one that holds a token, or takes its name', async () => {
  await using world = await start();
  const { owner, withToken } = world;
  await withToken({ kind: 'agent', agentId: 'held' });
  const starter = await withToken({ scopes: ['sessions:write'] });
  await owner.agents.register({ id: 'held', name: 'held', status: 'offline' });
  expect(await codeOf(starter.sessions.start({ name: 'child', provider: 'claude', spawnedBy: 'held' }))).toBe('forbidden');
  expect(await codeOf(starter.sessions.start({ name: 'held', provider: 'claude' }))).toBe('name_taken');
});
