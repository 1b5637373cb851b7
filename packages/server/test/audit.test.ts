import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { type AgentEvent, RelayError } from 'agent-relay-protocol';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SqliteStore } from '../src/store/sqlite/sqlite-store.ts';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { as, FarNode, owner as ownerPrincipal, SessionWorld } from './session-world.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const databasePath = () => join(folder, 'relay.db');

async function withRelay<Result>(work: (owner: RelayClient, relay: TestRelay) => Promise<Result>): Promise<Result> {
  const relay = await startTestRelay({ databasePath: databasePath() });
  const owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  try {
    return await work(owner, relay);
  } finally {
    await owner.close();
    await relay.close();
  }
}

async function doSomething(owner: RelayClient, relay: TestRelay): Promise<string> {
  const { token, tokenId } = await owner.tokens.create({
    name: 'steward',
    scopes: ['approvals:write', 'messages:write', 'agents:write', 'agents:read'],
  });
  for (const id of ['Worker', 'Idle']) await owner.agents.register({ id, name: id });
  const steward = createNodeRelayClient({ url: relay.url, token });
  await steward.rules.create({ agentId: 'Worker', command: ['npm', 'test'], folder: '/srv' });
  await steward.messages.send({ from: 'steward', to: 'Worker', body: 'a secret plan', mode: 'urgent' });
  await steward.messages.send({ from: 'steward', to: 'Worker', body: 'a word' });
  await expect(steward.audit.list({})).rejects.toMatchObject({ code: 'forbidden_scope' });
  await steward.close();
  await owner.agents.remove({ id: 'Idle' });
  await expect(owner.rules.revoke({ id: 999 })).rejects.toMatchObject({ code: 'not_found' });
  return tokenId;
}

test('who did what, and with which token, is told newest first; reading, plain mail and what was refused is not', async () => {
  await withRelay(async (owner, relay) => {
    const tokenId = await doSomething(owner, relay);
    const { data } = await owner.audit.list({});
    expect(data.map(({ id, by, tokenId: shown, action, subject }) => [id, by, shown, action, subject])).toEqual([
      [4, 'owner', null, 'agents/remove', 'Idle'],
      [3, 'token:steward', tokenId, 'messages/send', 'Worker'],
      [2, 'token:steward', tokenId, 'rules/create', 'Worker'],
      [1, 'owner', null, 'tokens/create', 'steward'],
    ]);
    expect(data[2]?.details).toEqual({ agentId: 'Worker', command: ['npm', 'test'], folder: '/srv' });
    expect(JSON.stringify(data)).not.toContain('secret plan');
    const page = await owner.audit.list({ limit: 2 });
    expect((await owner.audit.list({ limit: 2, before: page.nextCursor })).data.map(({ id }) => id)).toEqual([2, 1]);
    expect((await owner.audit.list({ by: 'token:steward', action: 'rules/create' })).data.map(({ id }) => id)).toEqual([2]);
    expect(await owner.audit.verify({})).toMatchObject({ sound: true, checked: 4, from: { id: 0 }, head: { id: 4 }, broken: null });
  });
});

test.each([
  ["UPDATE audit SET by = 'agent:Worker' WHERE id = 2", { id: 2, reason: 'it is not what was written, or what was before it is not' }],
  ['DELETE FROM audit WHERE id = 3', { id: 4, reason: 'it follows entry 2: what was between them is gone' }],
  [
    'UPDATE audit SET hash = (SELECT hash FROM audit WHERE id = 1) WHERE id = 3',
    { id: 3, reason: expect.stringContaining('not what was written') },
  ],
])('the first entry that was meddled with is named: %s', async (meddling, broken) => {
  await withRelay(doSomething);
  const database = new Database(databasePath());
  database.exec(meddling);
  database.close();
  await withRelay(async (owner) => {
    expect(await owner.audit.verify({})).toMatchObject({ sound: false, broken });
  });
});

test('an entry is written with what it tells of or not at all, once, and the chain goes on behind what was pruned', async () => {
  const store = await SqliteStore.open({ path: databasePath() });
  const act = (at: number) => ({ at, by: 'owner', tokenId: null, action: 'tokens/create', subject: null, details: {} });
  const write = (name: string) =>
    store.records.begin('w', () => ({
      answer: name,
      change: { at: 1, events: [{ type: 'agent.removed' as const, at: 1, agentId: name }] },
    }));
  const ids = async () => (await store.audit.list({ workspace: 'w', limit: 100 })).items.map(({ id }) => id);
  const headAtFirst = store.log.head;
  // The first write carries the entry; what fails later takes neither back.
  const failing = store.audit.during('w', act(1), async () => {
    await write('one');
    await write('two');
    throw new RelayError('internal', 'later');
  });
  await expect(failing).rejects.toMatchObject({ code: 'internal' });
  expect([await ids(), store.log.head - headAtFirst]).toEqual([[1], 2]);
  // What wrote nothing before it failed is not remembered; what was rolled back is neither.
  await expect(store.audit.during('w', act(2), () => Promise.reject(new RelayError('not_found', 'no')))).rejects.toThrow('no');
  const broken = store.audit.during('w', act(3), () =>
    store.records.begin('w', () => {
      throw new TypeError('a bug');
    }),
  );
  await expect(broken).rejects.toThrow('a bug');
  expect(await ids()).toEqual([1]);
  // Nothing to write: by itself.
  await store.audit.during('w', act(4), () => 'interrupted');
  const late: Promise<unknown>[] = [];
  await store.audit.during('w', act(5), () => {
    setTimeout(() => late.push(write('after')), 20);
  });
  await expect.poll(() => late.length).toBe(1);
  await Promise.all(late);
  expect(await ids()).toEqual([3, 2, 1]);
  expect(await store.audit.prune(5, 1)).toBe(1);
  expect(await store.audit.verify('w')).toMatchObject({ sound: true, checked: 2, from: { id: 1 }, head: { id: 3 } });
  expect(await store.audit.prune(100, 100)).toBe(2);
  await store.audit.during('w', act(6), () => write('again'));
  expect(await ids()).toEqual([4]);
  expect(await store.audit.verify('w')).toMatchObject({ sound: true, checked: 1, from: { id: 3 }, head: { id: 4 } });
  await store.close();
});

test('what turns used is counted once, by day, agent and model, and outlives what told of it', async () => {
  const world = await SessionWorld.open(folder, Date.UTC(2026, 0, 31, 23, 59));
  const node = new FarNode();
  await world.attach(node);
  const { sessionId } = await world.start('Worker');
  const turn = (turnId: string): AgentEvent => ({
    type: 'turn.completed',
    turnId,
    outcome: 'finished',
    usage: { inputTokens: 100, outputTokens: 10, cachedInputTokens: 40, costUsd: 0.5 },
  });
  const append = (...seqs: number[]) =>
    world.relay.nodeHandlers['activity/append'](
      { sessionId, entries: seqs.map((seq) => ({ seq, at: 1, event: turn(`t${seq}`) })) },
      { ...as(ownerPrincipal), link: node },
    );
  await append(1, 2);
  await append(1, 2);
  world.clock.at += 120_000;
  await append(3);
  const list = (input = {}) => Promise.resolve(world.relay.handlers['usage/list'](input, as(ownerPrincipal)));
  const one = { agentId: 'Worker', provider: 'claude', model: 'm', reasoningTokens: 0 };
  const days = [
    { ...one, day: '2026-01-31', turns: 2, inputTokens: 200, outputTokens: 20, cachedInputTokens: 80, costUsd: 1 },
    { ...one, day: '2026-02-01', turns: 1, inputTokens: 100, outputTokens: 10, cachedInputTokens: 40, costUsd: 0.5 },
  ];
  expect((await list()).data).toEqual(days);
  expect((await list({ since: '2026-02-01', agent: 'Worker' })).data).toEqual(days.slice(1));
  const page = await list({ limit: 1 });
  expect((await list({ limit: 1, after: page.nextCursor })).data).toEqual(days.slice(1));
  await expect(list({ after: 'none' })).rejects.toMatchObject({ code: 'validation_failed' });
  world.clock.at += 100 * 86_400_000;
  await world.relay.reap();
  expect((await Promise.resolve(world.relay.handlers['agents/activity']({ id: 'Worker' }, as(ownerPrincipal)))).data).toEqual([]);
  expect((await list()).data).toEqual(days);
  world.clock.at += 300 * 86_400_000;
  await world.relay.reap();
  expect((await list()).data.map(({ day }) => day)).toEqual(['2026-02-01']);
  await world.relay.close();
});

test('an agent sees what it used itself and nobody else, and a day that adds up to too much is still a number', async () => {
  const world = await SessionWorld.open(folder, Date.UTC(2026, 0, 31));
  const node = new FarNode();
  await world.attach(node);
  for (const name of ['Ann', 'Ben']) {
    const { sessionId } = await world.start(name);
    const usage = { inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 1, costUsd: 1e308 };
    const entries = [1, 2, 3].map((seq) => ({
      seq,
      at: 1,
      event: { type: 'turn.completed' as const, turnId: `t${seq}`, outcome: 'finished' as const, usage },
    }));
    await world.relay.nodeHandlers['activity/append']({ sessionId, entries }, { ...as(ownerPrincipal), link: node });
  }
  const ann = { type: 'agent' as const, agentId: 'Ann', workspace: 'default', epoch: 1, sessionId: null };
  const list = (principal: Parameters<typeof as>[0], input = {}) =>
    Promise.resolve().then(() => world.relay.handlers['usage/list'](input, as(principal)));
  const most = { inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 3, costUsd: Number.MAX_SAFE_INTEGER };
  expect((await list(ownerPrincipal)).data).toMatchObject([{ agentId: 'Ann', ...most }, { agentId: 'Ben' }]);
  expect((await list(ann)).data).toMatchObject([{ agentId: 'Ann', ...most }]);
  await expect(list(ann, { agent: 'Ben' })).rejects.toMatchObject({ code: 'forbidden' });
  await world.relay.close();
});
