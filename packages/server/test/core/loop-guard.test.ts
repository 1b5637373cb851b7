import type { Principal } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { defaultSettings } from '../../src/relay/contract/relay-settings.ts';
import { agentOf, anonymous, codeOf, owner, until, World } from './world.ts';

const off = { hops: 0, pairPerMinute: 0, threadPerMinute: 0, repeats: 0, tokensPerHour: 0 };
const guarded = async (limits: Partial<typeof off>): Promise<World> => {
  const world = await World.open({ guard: { ...off, ...limits } });
  for (const id of ['a', 'b', 'c']) await world.register(id);
  return world;
};

/** Both answer each other until the guard says no, at most so often; answers how many messages were sent. */
async function pingPong(world: World, most = 50): Promise<number> {
  let last = (await world.send('a', 'b', 'begin')).id;
  for (let turn = 1; turn < most; turn += 1) {
    const [from, to] = turn % 2 === 1 ? (['b', 'a'] as const) : (['a', 'b'] as const);
    const sent = await world.send(from, to, `turn ${turn}`, { replyTo: last }).catch(() => null);
    if (!sent) return turn;
    last = sent.id;
  }
  return most;
}

const openHolds = async (world: World) => (await world.call['holds/list']({ status: 'held' }, world.as(owner))).data;

test('agents that answer each other are stopped after so many hops, and the log, the sender and the error say why', async () => {
  await using world = await guarded({ hops: 3 });
  const before = world.head;
  expect(await pingPong(world)).toBe(4);
  const [hold] = await openHolds(world);
  expect(hold).toMatchObject({ rule: 'hops', attempts: 1, message: { from: 'a', to: 'id:b', body: 'turn 4', hops: 4 } });
  const [event] = (await world.events(before)).filter(({ type }) => type === 'message.held');
  expect(event).toMatchObject({ seq: hold?.id, hold: { id: hold?.id } });
  const { data } = await world.call['inbox/list']({ id: 'a' }, world.as(anonymous));
  const notice = data.map(({ message }) => message).find(({ kind }) => kind === 'notice');
  expect(notice).toMatchObject({ from: 'relay', mode: 'fyi', payload: { type: 'message.held', holdId: hold?.id, rule: 'hops' } });
  expect(await world.poll('b')).not.toContain(hold?.id);
});

test('a person, or a system outside, begins the hops anew', async () => {
  await using world = await guarded({ hops: 2 });
  const first = await world.send('a', 'b', '1');
  const second = await world.send('b', 'a', '2', { replyTo: first.id });
  const third = await world.send('a', 'b', '3', { replyTo: second.id });
  const say = (replyTo: number) => world.call['messages/send']({ to: 'a', body: 'go on', replyTo }, world.as(owner));
  expect([first.hops, second.hops, third.hops]).toEqual([0, 1, 2]);
  expect(await codeOf(world.send('b', 'a', '4', { replyTo: third.id }))).toBe('message_held');
  const word = await say(third.id);
  expect(word.hops).toBe(0);
  expect((await world.send('a', 'b', '5', { replyTo: word.id })).hops).toBe(1);
});

test('an exchange that is too fast is held, for two agents and for a thread of many; time lets it go on', async () => {
  await using world = await guarded({ pairPerMinute: 5 });
  const codes: string[] = [];
  for (let turn = 0; turn < 8; turn += 1) {
    const [from, to] = turn % 2 === 0 ? (['a', 'b'] as const) : (['b', 'a'] as const);
    codes.push(await codeOf(world.send(from, to, `turn ${turn}`)));
  }
  expect(codes).toEqual([...Array(6).fill('none'), 'message_held', 'none']);
  expect((await openHolds(world))[0]).toMatchObject({ rule: 'pair_rate', reason: 'a and b exchange more than 5 messages a minute' });
  expect(await codeOf(world.send('a', 'c', 'somebody else'))).toBe('none');
  world.clock.advance(60_000);
  expect(await codeOf(world.send('a', 'b', 'later'))).toBe('none');
  expect(await codeOf(world.send('b', 'a', 'later'))).toBe('none');
});

test('the rate of a thread counts all who answer in it, until a person releases what it held', async () => {
  await using world = await guarded({ threadPerMinute: 2 });
  const root = await world.send('a', 'broadcast', 'who?');
  const answer = (from: string) => codeOf(world.send(from, 'broadcast', `${from} here`, { replyTo: root.id }));
  expect([await answer('b'), await answer('c'), await answer('b'), await answer('c')]).toEqual(['none', 'none', 'none', 'message_held']);
  const [hold] = await openHolds(world);
  expect(hold).toMatchObject({ rule: 'thread_rate' });
  await world.call['holds/release']({ id: hold?.id ?? 0 }, world.as(owner));
  expect([await answer('b'), await answer('c'), await answer('b'), await answer('c')]).toEqual(['none', 'none', 'none', 'message_held']);
});

test('the same words in answer to each other are held; the same words to one who is silent are not', async () => {
  await using world = await guarded({ repeats: 2 });
  for (let count = 0; count < 20; count += 1) await world.send('a', 'c', 'the disk is full');
  const codes: string[] = [];
  for (let turn = 0; turn < 7; turn += 1) {
    const [from, to, words] = turn % 2 === 0 ? (['a', 'b', 'Thank you!'] as const) : (['b', 'a', 'You are welcome!'] as const);
    codes.push(await codeOf(world.send(from, to, words)));
  }
  expect(codes).toEqual([...Array(5).fill('none'), 'message_held', 'none']);
  expect((await openHolds(world))[0]).toMatchObject({ rule: 'repeats', reason: 'b has said the same 2 times in a row to id:a' });
});

test('an agent that has used its tokens gets no more mail from agents until the hour is over; its owner’s it gets', async () => {
  await using world = await guarded({ tokensPerHour: 1_000 });
  world.relay.core.guard.used('default', 'b', 999);
  expect(await codeOf(world.send('a', 'b', 'one'))).toBe('none');
  world.relay.core.guard.used('default', 'b', 1);
  expect(await codeOf(world.send('a', 'b', 'two'))).toBe('message_held');
  expect((await openHolds(world))[0]).toMatchObject({ rule: 'token_budget' });
  expect(await codeOf(() => world.call['messages/send']({ to: 'b', body: 'mine' }, world.as(owner)))).toBe('none');
  expect(await codeOf(world.send('a', 'c', 'another agent'))).toBe('none');
  world.clock.advance(3_600_000);
  expect(await codeOf(world.send('a', 'b', 'three'))).toBe('none');
});

test('a released message is sent with a new number, to whoever is there then, and the exchange goes on', async () => {
  await using world = await guarded({ hops: 2 });
  await pingPong(world);
  const [hold] = await openHolds(world);
  const sent = await world.call['holds/release']({ id: hold?.id ?? 0 }, world.as(owner));
  expect(sent).toMatchObject({ from: 'b', to: 'id:a', body: 'turn 3', hops: 0, matched: 1, threadId: hold?.message.threadId });
  expect(sent.id).toBeGreaterThan(hold?.id ?? 0);
  expect(await world.poll('a')).toContain(sent.id);
  expect(await openHolds(world)).toEqual([]);
  expect(await world.call['holds/get']({ id: hold?.id ?? 0 }, world.as(owner))).toMatchObject({ status: 'released', messageId: sent.id });
  expect((await world.send('a', 'b', 'on we go', { replyTo: sent.id })).hops).toBe(1);
  await expect(async () => world.call['holds/release']({ id: hold?.id ?? 0 }, world.as(owner))).rejects.toMatchObject({
    code: 'already_resolved',
    details: { status: 'released', by: 'owner', resolvedAt: world.clock.now() },
  });
});

test('a released answer is the receipt of what it answers, and a released offer is work', async () => {
  await using world = await guarded({ hops: 1 });
  const first = await world.send('a', 'b', '1');
  const second = await world.send('b', 'a', '2', { replyTo: first.id });
  const third = { replyTo: second.id, claimable: true, ttlMs: 1_000 };
  expect(await codeOf(world.send('a', 'b', '3', third))).toBe('message_held');
  expect(await world.receipt(second.id, 'a')).toBe('queued');
  const [hold] = await openHolds(world);
  world.clock.advance(5_000);
  const sent = await world.call['holds/release']({ id: hold?.id ?? 0 }, world.as(owner));
  expect(await world.receipt(second.id, 'a')).toBe('answered reply');
  expect(sent.expiresAt).toBe(world.clock.now() + 1_000);
  expect(await codeOf(() => world.call['messages/claim']({ id: sent.id, agentId: 'b' }, world.as(anonymous)))).toBe('none');
});

test('a refused message is never sent, and its sender learns why', async () => {
  await using world = await guarded({ hops: 1 });
  await pingPong(world);
  const [hold] = await openHolds(world);
  const refused = await world.call['holds/refuse']({ id: hold?.id ?? 0, because: 'enough' }, world.as(owner));
  expect(refused).toMatchObject({ status: 'refused', decidedBy: 'owner', because: 'enough' });
  const { data } = await world.call['inbox/list']({ id: hold?.message.from ?? '' }, world.as(anonymous));
  expect(data.at(-1)?.message.body).toContain('refused by owner and will not be sent: enough');
  expect((await world.types()).slice(-2)).toEqual(['message.refused', 'message.new']);
});

test('an agent that tries again joins the hold it has; agents decide about no hold', async () => {
  await using world = await guarded({ hops: 1 });
  const first = await world.send('a', 'b', '1');
  const second = await world.send('b', 'a', '2', { replyTo: first.id });
  for (let count = 0; count < 3; count += 1) expect(await codeOf(world.send('a', 'b', '3', { replyTo: second.id }))).toBe('message_held');
  expect(await openHolds(world)).toMatchObject([{ attempts: 3 }]);
  const counted = async (principal: Principal, asked = {}) => (await world.call['holds/count'](asked, world.as(principal))).counts;
  const none = { held: 0, released: 0, refused: 0 };
  expect([await counted(owner), await counted(owner, { status: 'refused' })]).toEqual([{ ...none, held: 1 }, none]);
  expect([await counted(owner, { from: 'a' }), await counted(owner, { from: 'b' })]).toEqual([{ ...none, held: 1 }, none]);
  // Whoever reads only some of them has only those counted.
  expect([await counted(agentOf('a')), await counted(agentOf('c'))]).toEqual([{ ...none, held: 1 }, none]);
  const [hold] = await openHolds(world);
  const { token } = await world.register('d', { withToken: true }, owner);
  expect(token).toBeDefined();
  for (const principal of [agentOf('d'), { type: 'node', workspace: 'default', nodeId: 'n' } as const]) {
    expect(await codeOf(() => world.call['holds/release']({ id: hold?.id ?? 0 }, world.as(principal)))).toBe('forbidden');
    expect(await codeOf(() => world.call['holds/refuse']({ id: hold?.id ?? 0 }, world.as(principal)))).toBe('forbidden');
  }
});

test('holds outlive a restart; what nobody decided within the retention is refused', async () => {
  await using world = await World.open({ guard: { ...off, hops: 1 }, retentionMs: 10_000 });
  for (const id of ['a', 'b']) await world.register(id);
  await pingPong(world);
  await world.restart();
  expect(await openHolds(world)).toHaveLength(1);
  world.clock.advance(10_001);
  await world.relay.reap();
  const all = await world.call['holds/list']({}, world.as(owner));
  expect(all.data).toMatchObject([{ status: 'refused', decidedBy: 'relay', because: 'nobody decided in time' }]);
});

test('a person who decides while the old holds are refused keeps none of the others open', async () => {
  await using world = await World.open({ guard: { ...off, hops: 1 }, retentionMs: 10_000 });
  for (const id of ['a', 'b']) await world.register(id);
  const first = await world.send('a', 'b', '1');
  const second = await world.send('b', 'a', '2', { replyTo: first.id });
  for (let count = 0; count < 20; count += 1) await codeOf(world.send('a', 'b', `again ${count}`, { replyTo: second.id }));
  const open = (await openHolds(world)).map(({ id }) => id).reverse();
  world.clock.advance(10_001);
  const reaping = world.relay.reap();
  await until(async () => (await openHolds(world)).length < 20);
  expect(await codeOf(() => world.call['holds/refuse']({ id: open[10] ?? 0 }, world.as(owner)))).toBe('none');
  await reaping;
  expect(await openHolds(world)).toEqual([]);
});

test('what was held is answered under every key that it came with, also once it was decided', async () => {
  await using world = await guarded({ hops: 1 });
  const first = await world.send('a', 'b', '1');
  const second = await world.send('b', 'a', '2', { replyTo: first.id });
  const again = (idempotencyKey: string) => world.send('a', 'b', '3', { replyTo: second.id, idempotencyKey });
  for (const key of ['k1', 'k2']) expect(await codeOf(again(key))).toBe('message_held');
  const [hold] = await openHolds(world);
  const sent = await world.call['holds/release']({ id: hold?.id ?? 0 }, world.as(owner));
  for (const key of ['k1', 'k2']) expect(await again(key)).toMatchObject({ id: sent.id, duplicate: true });
});

test('what the guard allows by default is far beyond what agents at work say', async () => {
  await using world = await World.open();
  for (const id of ['a', 'b']) await world.register(id);
  expect(await pingPong(world, 90)).toBe(90);
  expect(defaultSettings.guard.tokensPerHour).toBe(0);
});

test('what was counted in a turn of writes that came to nothing, and was written again, is counted once', async () => {
  await using world = await guarded({ pairPerMinute: 3 });
  const { agents } = world.relay.core.store;
  const sends = [world.send('a', 'b', '1'), world.send('b', 'a', '2'), world.send('a', 'b', '3')];
  // A bug in one operation rolls the shared turn back; the others run again.
  const fault = agents.change('default', 'c', () => {
    throw new TypeError('a bug');
  });
  await expect(fault).rejects.toThrow('a bug');
  await Promise.all(sends);
  expect([await codeOf(world.send('b', 'a', '4')), await codeOf(world.send('a', 'b', '5'))]).toEqual(['none', 'message_held']);
});

test('what was forgiven or used in a turn of writes that came to nothing is as it was', async () => {
  await using world = await guarded({ pairPerMinute: 1, tokensPerHour: 1_000 });
  for (const [from, to] of [
    ['a', 'b'],
    ['b', 'a'],
    ['a', 'b'],
  ] as const)
    await codeOf(world.send(from, to));
  const [hold] = await openHolds(world);
  if (!hold) throw new Error('Nothing was held');
  const { guard } = world.relay.core;
  guard.forgive('default', hold.message);
  guard.used('default', 'c', 1_000);
  guard.rolledBack();
  expect([await codeOf(world.send('a', 'b', 'again')), await codeOf(world.send('a', 'c'))]).toEqual(['message_held', 'none']);
});

test('invitations to pairs, and what becomes of them, are an exchange like any other', async () => {
  await using world = await guarded({ pairPerMinute: 5 });
  const invite = (from: string, target: string) =>
    world.call['pairs/request']({ from, target, objective: `talk ${world.head}` }, world.as(anonymous));
  const rejected = async (from: string, target: string) => {
    const { id } = await invite(from, target);
    await world.call['pairs/reject']({ id, agentId: target, reason: 'please do it now' }, world.as(anonymous));
  };
  const withdrawn = async () => {
    const { id } = await invite('a', 'b');
    await world.call['pairs/hangup']({ id, agentId: 'a', reason: 'please do it now' }, world.as(anonymous));
  };
  for (const round of [() => rejected('a', 'b'), withdrawn]) {
    let rounds = 0;
    const until = async () => {
      for (; rounds < 20; rounds += 1) await round();
    };
    await expect(until()).rejects.toMatchObject({ code: 'rate_limited', details: { retryAfterMs: 60_000 } });
    expect(rounds).toBeLessThanOrEqual(4);
    world.clock.advance(120_000);
  }
});
