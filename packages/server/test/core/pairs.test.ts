import { RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { end, host } from './hosted.ts';
import { agentOf, anonymous, codeOf, owner, World } from './world.ts';

const request = (world: World, from: string, target: string, objective = 'find the leak') =>
  world.call['pairs/request']({ from, target, objective }, world.as(anonymous));
const accept = (world: World, id: number, agentId: string) => world.call['pairs/accept']({ id, agentId }, world.as(anonymous));
const reject = (world: World, id: number, agentId: string, reason?: string) =>
  world.call['pairs/reject']({ id, agentId, reason }, world.as(anonymous));
const say = (world: World, id: number, from: string, body: string, more: object = {}) =>
  world.call['pairs/send']({ id, from, body, ...more }, world.as(anonymous));
const hangUp = (world: World, id: number, agentId: string, principal = anonymous) =>
  world.call['pairs/hangup']({ id, agentId }, world.as(principal));
const get = (world: World, id: number) => world.call['pairs/get']({ id }, world.as(anonymous));
const list = async (world: World, query: object = {}) => (await world.call['pairs/list'](query, world.as(anonymous))).data;
const mail = async (world: World, id: string) => (await world.call['inbox/list']({ id, peek: true }, world.as(anonymous))).data;

async function failureOf(operation: Promise<unknown>): Promise<RelayError> {
  const error: unknown = await operation.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof RelayError) return error;
  throw new Error('It was not refused');
}

async function pairWorld(...ids: string[]): Promise<World> {
  const world = await World.open();
  for (const id of ids.length === 0 ? ['a', 'b', 'c'] : ids) await world.register(id, { instanceId: 'one' });
  return world;
}

async function activePair(world: World): Promise<number> {
  const { id } = await request(world, 'a', 'b');
  await accept(world, id, 'b');
  return id;
}

test('an invitation is a message to the target that says how to answer, and numbers the pair', async () => {
  await using world = await pairWorld();
  const pair = await request(world, 'a', 'b');
  expect(pair).toEqual({
    id: pair.id,
    requester: 'a',
    target: 'b',
    objective: 'find the leak',
    requestedAt: world.clock.now(),
    status: 'pending',
  });
  const [item] = await mail(world, 'b');
  expect(item?.message).toMatchObject({ id: pair.id, from: 'a', to: 'id:b', kind: 'pair.invitation', meta: { pairId: pair.id } });
  for (const part of ['find the leak', `agent-relay pair accept ${pair.id} --agent b`, 'relay_pair'])
    expect(item?.message.body).toContain(part);
  expect(await world.receipt(pair.id, 'b')).toBe('queued');
});

test('the whole life: requested, accepted, talked in, hung up, each told to the other side and in the log', async () => {
  await using world = await pairWorld();
  const before = world.head;
  const { id } = await request(world, 'a', 'b');
  expect((await accept(world, id, 'b')).status).toBe('active');
  const [told] = await mail(world, 'a');
  expect(told?.message).toMatchObject({ from: 'relay', kind: 'notice', payload: { type: 'pair.accepted', pairId: id } });
  const first = await say(world, id, 'b', 'where do you look?');
  expect(first).toMatchObject({ to: 'id:a', threadId: id, replyTo: id, meta: { pairId: id }, matched: 1 });
  const second = await say(world, id, 'a', 'in the cache', { replyTo: first.id });
  expect(second).toMatchObject({ to: 'id:b', threadId: id, replyTo: first.id });
  expect([await world.receipt(id, 'b'), await world.receipt(first.id, 'a')]).toEqual(['answered reply', 'answered reply']);
  const ended = await hangUp(world, id, 'a');
  expect(ended).toMatchObject({ status: 'ended', endedBy: 'a', cause: 'hung_up', reason: null, acceptedAt: world.clock.now() });
  expect((await mail(world, 'b')).at(-1)?.message).toMatchObject({ from: 'relay', payload: { type: 'pair.ended', pairId: id } });
  expect((await world.types(before)).filter((type) => type.startsWith('pair.'))).toEqual(['pair.requested', 'pair.accepted', 'pair.ended']);
  const { data } = await world.call['messages/thread']({ id }, world.as(anonymous));
  expect(data.map((message) => message.id)).toEqual([id, first.id, second.id]);
});

test('a rejection tells the requester why, and frees both', async () => {
  await using world = await pairWorld();
  const { id } = await request(world, 'a', 'b');
  expect(await reject(world, id, 'b', 'in a meeting')).toMatchObject({ status: 'rejected', reason: 'in a meeting' });
  expect((await mail(world, 'a'))[0]?.message.body).toBe(`b declined pair ${id}, saying “in a meeting”.`);
  expect((await request(world, 'b', 'a')).status).toBe('pending');
});

test('an agent is in one open pair at most, on either side: busy names who with whom', async () => {
  await using world = await pairWorld('a', 'b', 'c', 'd');
  const { id } = await request(world, 'a', 'b');
  for (const [from, target, who, partner] of [
    ['c', 'a', 'a', 'b'],
    ['c', 'b', 'b', 'a'],
    ['a', 'c', 'a', 'b'],
    ['b', 'c', 'b', 'a'],
    ['b', 'a', 'b', 'a'],
  ] as const) {
    const refused = await failureOf(Promise.resolve(request(world, from, target)));
    expect([refused.code, refused.details]).toEqual(['busy', { agentId: who, with: partner, pairId: id, status: 'pending' }]);
  }
  await accept(world, id, 'b');
  expect((await failureOf(Promise.resolve(request(world, 'c', 'b')))).message).toBe(`b is paired with a (pair ${id})`);
  await hangUp(world, id, 'b');
  expect((await request(world, 'c', 'b')).status).toBe('pending');
});

test('of any number of invitations at once one wins, whoever invites whom', async () => {
  await using world = await pairWorld('a', 'b', ...Array.from({ length: 100 }, (_, index) => `racer-${index}`));
  const racers = Array.from({ length: 100 }, (_, index) => codeOf(() => request(world, `racer-${index}`, 'a')));
  const mutual = [codeOf(() => request(world, 'a', 'b')), codeOf(() => request(world, 'b', 'a'))];
  const outcomes = await Promise.all([...racers, ...mutual]);
  expect(outcomes.filter((code) => code === 'none')).toHaveLength(1);
  expect(outcomes.filter((code) => code === 'busy')).toHaveLength(101);
  expect(await list(world)).toHaveLength(1);
  expect((await world.types()).filter((type) => type === 'pair.requested')).toHaveLength(1);
});

test('a refused invitation leaves no message and no gap in the log', async () => {
  await using world = await pairWorld();
  await request(world, 'a', 'b');
  const { head } = world;
  expect(await codeOf(() => request(world, 'c', 'a'))).toBe('busy');
  expect([world.head, (await mail(world, 'a')).length]).toEqual([head, 0]);
});

test('accept, reject and hang-up at once: the pair ends in one state, and is told once', async () => {
  await using world = await pairWorld();
  const { id } = await request(world, 'a', 'b');
  const outcomes = await Promise.all([
    codeOf(() => reject(world, id, 'b')),
    codeOf(() => accept(world, id, 'b')),
    codeOf(() => hangUp(world, id, 'a')),
  ]);
  expect(outcomes).toEqual(['none', 'pair_not_pending', 'none']);
  expect((await get(world, id)).status).toBe('rejected');
  expect((await world.types()).filter((type) => type.startsWith('pair.'))).toEqual(['pair.requested', 'pair.rejected']);
});

test('only the target answers, only the two hang up or talk, and what is said again changes nothing', async () => {
  await using world = await pairWorld();
  const { id } = await request(world, 'a', 'b');
  for (const agentId of ['a', 'c']) {
    expect(await codeOf(() => accept(world, id, agentId))).toBe('forbidden');
    expect(await codeOf(() => reject(world, id, agentId))).toBe('forbidden');
  }
  expect(await codeOf(() => hangUp(world, id, 'c'))).toBe('forbidden');
  expect(await codeOf(() => say(world, id, 'c', 'hello'))).toBe('forbidden');
  expect(await codeOf(() => say(world, id, 'a', 'hello'))).toBe('pair_not_active');
  const active = await accept(world, id, 'b');
  const { head } = world;
  expect(await accept(world, id, 'b')).toEqual(active);
  expect(await codeOf(() => reject(world, id, 'b'))).toBe('pair_not_pending');
  expect(world.head).toBe(head);
  const ended = await hangUp(world, id, 'b');
  expect(await hangUp(world, id, 'a')).toEqual(ended);
  expect(await codeOf(() => accept(world, id, 'b'))).toBe('pair_not_pending');
  expect(await codeOf(() => say(world, id, 'a', 'late'))).toBe('pair_not_active');
  expect(await codeOf(() => get(world, 9_999))).toBe('not_found');
});

test('nothing is said in a pair after its end, however the two race', async () => {
  await using world = await pairWorld();
  const id = await activePair(world);
  const said = Array.from({ length: 10 }, (_, index) => codeOf(() => say(world, id, 'a', `before ${index}`)));
  const ending = Promise.resolve(hangUp(world, id, 'b'));
  const late = Array.from({ length: 10 }, (_, index) => codeOf(() => say(world, id, 'a', `after ${index}`)));
  await ending;
  const outcomes = await Promise.all([...said, ...late]);
  const events = await world.events();
  const endSeq = events.find(({ type }) => type === 'pair.ended')?.seq ?? 0;
  const messages = events.flatMap((event) => (event.type === 'message.new' && event.message.meta?.['pairId'] === id ? [event.seq] : []));
  expect(messages.every((seq) => seq < endSeq)).toBe(true);
  expect(messages).toHaveLength(1 + outcomes.filter((code) => code === 'none').length);
  expect(outcomes.every((code) => code === 'none' || code === 'pair_not_active')).toBe(true);
});

test('a send whose answer was lost is answered again, also when the pair is over meanwhile', async () => {
  await using world = await pairWorld();
  const id = await activePair(world);
  const first = await say(world, id, 'a', 'once', { idempotencyKey: 'k' });
  await hangUp(world, id, 'b');
  expect(await say(world, id, 'a', 'once', { idempotencyKey: 'k' })).toMatchObject({ id: first.id, duplicate: true });
});

test('a message of another thread is no reply in a pair', async () => {
  await using world = await pairWorld();
  const id = await activePair(world);
  const other = await world.send('b', 'a');
  expect(await codeOf(() => say(world, id, 'a', 'x', { replyTo: other.id }))).toBe('validation_failed');
});

test('a pair ends with the session of a side that a node runs', async () => {
  await using world = await pairWorld('a');
  const { session } = await host(world, 'b', { nodeId: 'n' });
  const { id } = await request(world, 'a', 'b');
  await world.call['pairs/accept']({ id, agentId: 'b' }, world.as(agentOf('b')));
  await end(world, session);
  expect(await get(world, id)).toMatchObject({ status: 'ended', endedBy: 'b', cause: 'offline', reason: 'The session of b ended' });
});

const endings: readonly (readonly [string, string, (world: World, id: string) => Promise<unknown>])[] = [
  ['sets itself offline', 'offline', async (world, id) => world.call['agents/status']({ id, status: 'offline' }, world.as(anonymous))],
  [
    'says so with its heartbeat',
    'offline',
    async (world, id) => world.call['agents/heartbeat']({ id, status: 'offline' }, world.as(anonymous)),
  ],
  ['registers as offline', 'offline', async (world, id) => world.register(id, { status: 'offline' })],
  ['is replaced by a newer session', 'replaced', async (world, id) => world.register(id, { instanceId: 'two' })],
  ['is removed', 'removed', async (world, id) => world.call['agents/remove']({ id }, world.as(anonymous))],
];
for (const [deed, cause, leave] of endings) {
  for (const [side, partner] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    test(`a pair ends when its ${side === 'a' ? 'requester' : 'target'} ${deed}`, async () => {
      await using world = await pairWorld();
      const id = await activePair(world);
      await leave(world, side);
      expect(await get(world, id)).toMatchObject({ status: 'ended', endedBy: side, cause, reason: expect.any(String) });
      expect((await mail(world, partner)).map(({ message }) => message.payload)).toContainEqual({
        type: 'pair.ended',
        pairId: id,
        messageId: id,
        cause,
      });
      const events = (await world.events()).filter(({ type }) => type === 'pair.ended');
      expect(events).toMatchObject([{ pair: { id, endedBy: side } }]);
      expect((await request(world, 'c', partner)).status).toBe('pending');
    });
  }
}

test('an open invitation ends as well when a side goes, and its accept says so', async () => {
  await using world = await pairWorld();
  const { id } = await request(world, 'a', 'b');
  await world.call['agents/status']({ id: 'a', status: 'offline' }, world.as(anonymous));
  expect(await get(world, id)).toMatchObject({ status: 'ended', acceptedAt: null, endedBy: 'a' });
  expect(await codeOf(() => accept(world, id, 'b'))).toBe('pair_not_pending');
});

test('both sides offline at once: the pair ends once, by the first', async () => {
  await using world = await pairWorld();
  const id = await activePair(world);
  const offline = (agent: string) => world.call['agents/status']({ id: agent, status: 'offline' }, world.as(anonymous));
  await Promise.all([offline('b'), offline('a')]);
  expect((await world.events()).filter(({ type }) => type === 'pair.ended')).toMatchObject([{ pair: { id, endedBy: 'b' } }]);
});

test('silence ends a pair: of one side, and of both', async () => {
  await using world = await pairWorld();
  const id = await activePair(world);
  for (let passed = 0; passed < 240_000; passed += 60_000) {
    world.clock.advance(60_000);
    await world.call['agents/heartbeat']({ id: 'a' }, world.as(anonymous));
  }
  await world.relay.reap();
  expect(await get(world, id)).toMatchObject({ status: 'ended', endedBy: 'b', cause: 'offline' });
  await world.call['agents/heartbeat']({ id: 'b' }, world.as(anonymous));
  const second = await activePair(world);
  world.clock.advance(500_000);
  await world.relay.reap();
  expect((await world.events()).filter(({ type }) => type === 'pair.ended')).toMatchObject([{ pair: { id } }, { pair: { id: second } }]);
});

test('pairs survive a restart, exclusive as before', async () => {
  await using world = await pairWorld();
  const id = await activePair(world);
  await world.restart();
  expect(await codeOf(() => request(world, 'c', 'b'))).toBe('busy');
  expect((await say(world, id, 'a', 'still there')).threadId).toBe(id);
});

test('a word means an id, else a name or label, else a provider, among those that are there', async () => {
  await using world = await World.open();
  await world.register('a', { provider: 'codex' });
  await world.register('one', { provider: 'codex', label: 'fixer', tags: ['x'], capabilities: ['review'], machine: 'mini' });
  await world.register('gone', { provider: 'codex', label: 'fixer', status: 'offline' });
  for (const target of ['codex', 'fixer', 'one', 'id:one', 'label:fixer', 'tag:x', 'cap:review', 'machine:mini']) {
    const pair = await request(world, 'a', target);
    expect([target, pair.target]).toEqual([target, 'one']);
    await hangUp(world, pair.id, 'a');
  }
  expect(await codeOf(() => request(world, 'a', 'id:gone'))).toBe('agent_offline');
  expect(await codeOf(() => request(world, 'gone', 'one'))).toBe('agent_offline');
  expect(await codeOf(() => request(world, 'a', 'nobody'))).toBe('not_found');
  for (const target of ['broadcast', '#x', 'a', 'relay', ':'])
    expect(await codeOf(() => request(world, 'a', target))).toBe('validation_failed');
});

test('a word that means several names the candidates', async () => {
  await using world = await World.open();
  for (const id of ['a', 'two', 'one']) await world.register(id, { provider: 'codex', tags: ['x'] });
  for (const target of ['codex', 'tag:x']) {
    const refused = await failureOf(Promise.resolve(request(world, 'a', target)));
    expect([refused.code, refused.details]).toEqual(['ambiguous_target', { candidates: ['id:one', 'id:two'] }]);
  }
});

test('a protected agent pairs, answers and talks only as itself; the owner may hang up any pair', async () => {
  await using world = await World.open();
  await world.register('a');
  await world.register('b', { withToken: true, instanceId: 'one' }, owner);
  expect(await codeOf(() => request(world, 'b', 'a'))).toBe('forbidden');
  const { id } = await request(world, 'a', 'b');
  expect(await codeOf(() => accept(world, id, 'b'))).toBe('forbidden');
  expect(await codeOf(() => world.call['pairs/accept']({ id, agentId: 'b', epoch: 7 }, world.as(agentOf('b'))))).toBe('stale_session');
  expect((await world.call['pairs/accept']({ id }, world.as(agentOf('b')))).status).toBe('active');
  expect(await codeOf(() => say(world, id, 'b', 'x'))).toBe('forbidden');
  expect((await world.call['pairs/send']({ id, body: 'x' }, world.as(agentOf('b')))).from).toBe('b');
  expect(await hangUp(world, id, 'owner', owner)).toMatchObject({ status: 'ended', endedBy: 'owner' });
  const told = [await mail(world, 'a'), (await world.call['inbox/list']({ id: 'b', peek: true }, world.as(owner))).data];
  expect(told.map((items) => items.at(-1)?.message.payload)).toMatchObject([{ type: 'pair.ended' }, { type: 'pair.ended' }]);
});

test('the owner pairs with an agent like anybody', async () => {
  await using world = await pairWorld();
  const pair = await world.call['pairs/request']({ target: 'a', objective: 'talk' }, world.as(owner));
  expect(pair).toMatchObject({ requester: 'owner', target: 'a' });
});

test('pairs are listed newest first, by agent and status, and followed by whom they concern', async () => {
  await using world = await pairWorld('a', 'b', 'c', 'd');
  const first = await request(world, 'a', 'b');
  await hangUp(world, first.id, 'a');
  const second = await request(world, 'b', 'a');
  const third = await request(world, 'c', 'd');
  expect((await list(world)).map(({ id }) => id)).toEqual([third.id, second.id, first.id]);
  expect((await list(world, { agent: 'a' })).map(({ id }) => id)).toEqual([second.id, first.id]);
  expect((await list(world, { agent: 'a', status: 'pending' })).map(({ id }) => id)).toEqual([second.id]);
  expect((await list(world, { limit: 1 })).map(({ id }) => id)).toEqual([third.id]);
  const seen = (await world.events(0, { for: 'd', types: ['pair'] })).map(({ type }) => type);
  expect(seen).toEqual(['pair.requested']);
});

test('pairs are counted by status, by agent, as far as the caller may list them', async () => {
  await using world = await pairWorld('a', 'b', 'c', 'd');
  await hangUp(world, (await request(world, 'a', 'b')).id, 'a');
  await reject(world, (await request(world, 'c', 'd')).id, 'd');
  await activePair(world);
  await request(world, 'c', 'd');
  const counted = async (asked: object = {}, principal = owner) => (await world.call['pairs/count'](asked, world.as(principal))).counts;
  const all = { pending: 1, active: 1, rejected: 1, ended: 1 };
  expect(await counted()).toEqual(all);
  expect(await counted({ status: 'active' })).toEqual({ pending: 0, active: 1, rejected: 0, ended: 0 });
  expect(await counted({ agent: 'd' })).toEqual({ pending: 1, active: 0, rejected: 1, ended: 0 });
  expect(await counted({ agent: 'd', status: 'ended' })).toEqual({ pending: 0, active: 0, rejected: 0, ended: 0 });
  expect(await counted({}, agentOf('a'))).toEqual({ pending: 0, active: 1, rejected: 0, ended: 1 });
  expect(await counted({ agent: 'c' }, agentOf('d'))).toEqual({ pending: 1, active: 0, rejected: 1, ended: 0 });
  expect((await world.call['pairs/count']({}, world.as(owner))).cursor).toBe(world.head);
  expect(await codeOf(() => counted({ agent: 'nobody' }))).toBe('not_found');
});

test('an old pair is pruned with its invitation; one that is open stays, and goes on', async () => {
  await using world = await World.open({ retentionMs: 1_000, reapIntervalMs: 10_000_000_000, staleTtlMs: 10_000_000_000 });
  for (const id of ['a', 'b', 'c', 'd']) await world.register(id);
  const over = await request(world, 'c', 'd');
  await hangUp(world, over.id, 'c');
  const { id } = await request(world, 'a', 'b');
  await accept(world, id, 'b');
  world.clock.advance(10_000);
  await world.relay.reap();
  expect(await codeOf(() => get(world, over.id))).toBe('not_found');
  expect((await get(world, id)).status).toBe('active');
  expect((await say(world, id, 'a', 'still here')).meta).toEqual({ pairId: id });
  expect((await hangUp(world, id, 'a')).status).toBe('ended');
});
