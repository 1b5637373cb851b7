import type { Principal, RelayError } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { agentOf, anonymous, codeOf, owner, World } from './world.ts';

type Token = Extract<Principal, { type: 'token' }>;
const tokenFor = (agentId: string | null, kind: Token['kind']): Principal => ({
  type: 'token',
  workspace: 'default',
  tokenId: 't',
  name: 'x',
  kind,
  agentId,
  scopes: ['agents:write', 'messages:write', 'channels:read'],
  targets: null,
  channels: null,
});
const ci: Principal = { type: 'integration', workspace: 'default', name: 'ci', scopes: ['*'], targets: null, channels: null };

describe('the kind of an agent', () => {
  test('is the owner’s to give, or that of a token made for it', async () => {
    await using world = await World.open();
    await world.register('a', { withToken: true }, owner);
    for (const kind of ['channel', 'integration', 'user'] as const) {
      for (const [id, principal] of [
        ['a', agentOf('a')],
        ['b', tokenFor('b', 'agent')],
        ['c', tokenFor(null, 'scoped')],
        ['d', anonymous],
      ] as const)
        expect([kind, id, await codeOf(world.register(id, { kind }, principal))]).toEqual([kind, id, 'forbidden']);
    }
    expect(await codeOf(world.register('phone', { kind: 'integration' }, tokenFor('phone', 'channel')))).toBe('forbidden');
    expect(await world.register('phone', { kind: 'channel' }, tokenFor('phone', 'channel'))).toMatchObject({ kind: 'channel' });
    expect(await world.register('ci', { kind: 'integration' }, ci)).toMatchObject({ kind: 'integration' });
    expect(await world.register('desk', { kind: 'channel' }, owner)).toMatchObject({ kind: 'channel' });
    expect(await world.register('lead', { kind: 'orchestrator' })).toMatchObject({ kind: 'orchestrator' });
    // What somebody is already may be said again, also by its own session.
    expect(await world.register('desk', { kind: 'channel', instanceId: 'two' })).toMatchObject({ kind: 'channel', epoch: 2 });
  });

  test('that an agent gives itself changes neither the stamp of its words nor the loop guard', async () => {
    await using world = await World.open({ guard: { hops: 0, pairPerMinute: 5, threadPerMinute: 0, repeats: 3, tokensPerHour: 0 } });
    for (const id of ['a', 'b']) await world.register(id, { withToken: true }, owner);
    await codeOf(world.register('a', { kind: 'integration' }, agentOf('a')));
    let held = 0;
    for (let round = 0; round < 20; round += 1) {
      for (const [from, to] of [
        ['a', 'b'],
        ['b', 'a'],
      ] as const) {
        const sent = Promise.resolve(world.call['messages/send']({ to: `id:${to}`, body: 'again' }, world.as(agentOf(from))));
        const code = await codeOf(sent);
        if (code === 'message_held') held += 1;
        else expect((await sent).sender.relation).toBe('peer');
      }
    }
    expect(held).toBeGreaterThan(10);
  });

  test('the door of a channel lets in what nothing proves to be from people only as fast as agents may write', async () => {
    await using world = await World.open({ guard: { hops: 0, pairPerMinute: 3, threadPerMinute: 0, repeats: 0, tokensPerHour: 0 } });
    await world.register('tg', { kind: 'channel' }, owner);
    await world.register('a');
    await world.call['channels/bind']({ id: 'tg', conversationId: 'chat', target: 'id:a' }, world.as(owner));
    let next = 0;
    const bring = async (principal: Principal) => {
      next += 1;
      const sender = { id: 'u', name: 'Ann' };
      const said = { id: 'tg', conversationId: 'chat', body: `round ${next}`, sender, externalId: String(next) };
      return world.call['channels/receive'](said, world.as(principal));
    };
    const codes: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      codes.push(await codeOf(bring(anonymous)));
      await codeOf(world.send('a', 'tg'));
    }
    expect(codes).toContain('rate_limited');
    for (let round = 0; round < 4; round += 1) expect((await bring(tokenFor('tg', 'channel'))).messages).toMatchObject([{ hops: 0 }]);
  });
});

describe('what holds for an agent', () => {
  const approvalOf = (world: World, id: string) => world.relay.core.store.agents.index.in('default').find(id)?.agent?.approval;

  test.each([
    ['its session', agentOf('w')],
    ['a token made for it', tokenFor('w', 'agent')],
    ['a token for programs', tokenFor(null, 'scoped')],
    ['nobody in particular', anonymous],
    ['a program with the credential of the owner', owner],
  ])('is not widened by %s registering again, nor by leaving and coming back', async (_, principal) => {
    await using world = await World.open();
    const isSession = principal.type === 'agent';
    await world.register('w', { approval: 'guarded', instanceId: 'one', ...(isSession ? { withToken: true } : {}) }, owner);
    await world.register('w', { approval: 'open', instanceId: 'one' }, principal);
    expect(approvalOf(world, 'w')).toBe('guarded');
    await world.call['agents/remove']({ id: 'w' }, world.as(principal));
    await world.restart();
    await world.register('w', { approval: 'open', instanceId: 'one' }, isSession ? anonymous : principal);
    expect(approvalOf(world, 'w')).toBe('guarded');
    await world.register('w', { approval: 'read-only' }, isSession ? anonymous : principal);
    expect(approvalOf(world, 'w')).toBe('read-only');
    await world.call['agents/approval']({ id: 'w', approval: 'open' }, world.as(owner));
    expect(approvalOf(world, 'w')).toBe('open');
  });

  test('a new agent says itself what holds for it', async () => {
    await using world = await World.open();
    expect(await world.register('n', { approval: 'guarded' })).toMatchObject({ approval: 'guarded' });
    expect(await world.register('m')).toMatchObject({ approval: 'open' });
  });
});

describe('names that mean something by themselves', () => {
  const integrations = [
    {
      name: 'ci',
      tokenHash: 'h',
      tokenLength: 16,
      scopes: ['*' as const],
      targets: null,
      channels: null,
      callbackUrl: null,
      callbackKey: 'k',
    },
  ];

  test('are nobody’s but whose they are, in whatever letters they are written', async () => {
    await using world = await World.open({}, { integrations });
    await world.register('a');
    for (const id of ['ci', 'CI', 'сі', 'оwner', 'Owner', '0wner', 'reIay', 'owⁿer'.normalize('NFKC').replace('n', 'ո')]) {
      expect([id, await codeOf(world.register(id))]).toEqual([id, 'forbidden']);
      expect([id, await codeOf(world.register('x', { name: id }))]).toEqual([id, 'forbidden']);
      expect([id, await codeOf(world.register('x', { label: id }))]).toEqual([id, 'forbidden']);
      expect([id, await codeOf(world.register(id, {}, tokenFor(null, 'scoped')))]).toEqual([id, 'forbidden']);
      expect([id, await codeOf(world.send(id, 'a'))]).toEqual([id, 'forbidden']);
    }
    for (const name of ['person:anna', 'Person:anna'])
      expect([name, await codeOf(world.register('x', { name }))]).toEqual([name, 'forbidden']);
    expect(await codeOf(() => world.call['agents/label']({ id: 'a', label: 'ｃi' }, world.as(anonymous)))).toBe('forbidden');
    expect(await world.register('ci', { kind: 'integration' }, ci)).toMatchObject({ id: 'ci' });
    expect(await codeOf(world.send('ci', 'a'))).toBe('forbidden');
    expect(await world.register('Owner', {}, owner)).toMatchObject({ id: 'Owner' });
    for (const id of ['owners', 'circle', 'relayer', 'cia']) expect(await world.register(id)).toMatchObject({ id });
  });
});

test('who takes the name of a removed session neither ends, takes back, empties nor learns what that session reported and sent', async () => {
  await using world = await World.open();
  const { call } = world;
  for (const id of ['worker', 'x']) await world.register(id, { withToken: true }, owner);
  const [session, worker] = [world.as(agentOf('x')), world.as(agentOf('worker'))];
  const alarm = { title: 'secret', target: 'id:worker', dedupeKey: 'k', idempotencyKey: 'once' };
  const { task } = await call['integrations/report'](alarm, session);
  const offer = await call['messages/send']({ to: 'broadcast', body: 'for all', claimable: true }, session);
  const claim = await call['messages/claim']({ id: offer.id }, worker);
  const open = await call['integrations/report']({ title: 'for everybody', target: 'broadcast', dedupeKey: 'open' }, session);
  await call['agents/remove']({ id: 'x' }, world.as(owner));
  await world.register('x', { instanceId: 'a plain one' });

  const program = world.as(anonymous);
  const report = async (event: object) => {
    const answer = call['integrations/report']({ title: 'other', target: 'id:worker', source: 'x', ...event }, program);
    return Promise.resolve(answer).then(
      ({ outcome }) => outcome,
      (error: RelayError) => ({ code: error.code, details: error.details, tells: error.message.includes(String(task?.id)) }),
    );
  };
  const refused = { code: 'forbidden', details: undefined, tells: false };
  for (const event of [{ dedupeKey: 'k' }, { dedupeKey: 'k', status: 'resolved' }, alarm, { ...alarm, title: 'mismatch' }])
    expect(await report(event)).toEqual(refused);
  const openId = open.task?.id ?? 0;
  expect(await codeOf(() => call['tasks/status']({ id: openId, agentId: 'x', status: 'canceled' }, program))).toBe('forbidden');
  expect(await codeOf(() => call['claims/release']({ id: claim.claimId, agentId: 'x' }, program))).toBe('forbidden');
  for (const agentId of ['x', undefined])
    expect(await codeOf(() => call['messages/remove']({ id: offer.id, agentId }, program))).toBe('forbidden');

  const all = world.as(owner);
  expect(await call['tasks/get']({ id: task?.id ?? 0 }, all)).toMatchObject({ status: 'open', occurrenceCount: 1 });
  expect(await call['tasks/get']({ id: openId }, all)).toMatchObject({ status: 'open' });
  expect(await call['claims/get']({ id: claim.claimId }, all)).toMatchObject({ status: 'held' });
  expect(await call['messages/get']({ id: offer.id }, all)).toMatchObject({ body: 'for all', deletedAt: null });

  // What it does itself is its own.
  expect([await report({ dedupeKey: 'mine' }), await report({ dedupeKey: 'mine' })]).toEqual(['created', 'repeated']);
  expect(await report({ dedupeKey: 'mine', status: 'resolved' })).toBe('resolved');
  const sent = await world.send('x', 'broadcast', 'my own', { claimable: true });
  const taken = await call['messages/claim']({ id: sent.id }, worker);
  expect(await call['claims/release']({ id: taken.claimId, agentId: 'x' }, program)).toMatchObject({ status: 'released' });
  expect(await codeOf(() => call['messages/remove']({ id: sent.id, agentId: 'x' }, program))).toBe('none');
});
