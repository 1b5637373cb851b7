import { type Principal, RelayError, type RouteRequest } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { agentOf, anonymous, codeOf, owner, World } from './world.ts';

const ann = { id: 'u1', name: 'Ann' };
const scoped = (more: Partial<Extract<Principal, { type: 'token' }>>): Principal => ({
  type: 'token',
  kind: 'scoped',
  workspace: 'default',
  tokenId: 't',
  name: 'ci',
  agentId: null,
  scopes: ['agents:write', 'messages:write'],
  targets: null,
  channels: null,
  ...more,
});

async function channelWorld(...ids: string[]): Promise<World> {
  const world = await World.open();
  await world.register('tg', { kind: 'channel', transport: 'telegram', instanceId: 'one' }, owner);
  for (const id of ids) await world.register(id, { tags: ['team'] });
  return world;
}

const bind = async (world: World, conversationId: string, target: string, more: { mode?: 'fanout'; as?: Principal } = {}) =>
  world.call['channels/bind']({ id: 'tg', conversationId, target, ...(more.mode && { mode: more.mode }) }, world.as(more.as ?? owner));
type Incoming = Partial<Omit<RouteRequest<'channels/receive'>, 'id'>>;
const receive = async (world: World, externalId: string, more: Incoming = {}, as: Principal = owner) =>
  world.call['channels/receive']({ id: 'tg', conversationId: 'chat', body: 'hello', sender: ann, externalId, ...more }, world.as(as));
const link = async (world: World, messageId: number, ...externalIds: string[]) =>
  world.call['channels/link']({ id: 'tg', messageId, conversationId: 'chat', externalIds }, world.as(owner));
const placeOf = async (world: World, messageId: number) =>
  world.call['channels/conversation']({ id: 'tg', messageId }, world.as(anonymous));
const get = async (world: World) => world.call['channels/get']({ id: 'tg' }, world.as(anonymous));

async function failureOf(operation: Promise<unknown>): Promise<RelayError> {
  const error: unknown = await operation.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof RelayError) return error;
  throw new Error('It was not refused');
}

describe('registration', () => {
  test('a channel says what it reaches the outside by, and keeps it; other agents may not', async () => {
    await using world = await channelWorld();
    expect(await world.register('tg', { direction: 'inbound' }, owner)).toMatchObject({ transport: 'telegram', direction: 'inbound' });
    expect(await world.register('plain', { kind: 'channel' }, owner)).toMatchObject({ transport: 'custom', direction: 'both' });
    expect(await world.register('a')).toMatchObject({ transport: null, direction: null });
    for (const [path, said] of [
      ['transport', { transport: 'telegram' }],
      ['direction', { direction: 'both' as const }],
    ] as const) {
      expect(await failureOf(world.register('a', said))).toMatchObject({ code: 'validation_failed', issues: [{ path }] });
    }
  });

  test('a channel belongs to the groups it names, not to everybody', async () => {
    await using world = await channelWorld('a', 'b');
    await world.register('named', { kind: 'channel', tags: ['team'], channels: ['deploy'] }, owner);
    expect((await world.send('a', 'broadcast')).matched).toBe(1);
    expect((await world.send('a', '#other')).matched).toBe(1);
    expect((await world.send('a', '#deploy')).matched).toBe(2);
    expect((await world.send('a', 'tag:team')).matched).toBe(2);
  });

  test('channels are listed by id with their bindings, and nothing else is', async () => {
    await using world = await channelWorld('a');
    await world.register('aa', { kind: 'channel' }, owner);
    const { created, ...binding } = await bind(world, 'chat', 'a');
    const { data, cursor } = await world.call['channels/list']({}, world.as(anonymous));
    expect([created, cursor]).toEqual([true, world.head]);
    expect(data.map(({ id }) => id)).toEqual(['aa', 'tg']);
    expect(data[1]).toEqual({
      id: 'tg',
      name: 'tg',
      label: null,
      transport: 'telegram',
      direction: 'both',
      status: 'online',
      ready: true,
      lastSeenAt: world.clock.now(),
      bindings: [binding],
    });
    expect(await codeOf(() => world.call['channels/get']({ id: 'a' }, world.as(anonymous)))).toBe('not_found');
  });
});

describe('bindings', () => {
  test('a binding names its target in the one spelling and is told of in the log', async () => {
    await using world = await channelWorld('a');
    await world.register('other', { label: 'the fixer' });
    const before = world.head;
    const binding = await bind(world, 'chat', 'the fixer');
    expect(binding).toMatchObject({ channelId: 'tg', conversationId: 'chat', target: 'id:other', mode: 'exclusive', createdBy: 'owner' });
    await world.call['channels/unbind']({ id: 'tg', bindingId: binding.bindingId }, world.as(owner));
    const { created: _, ...told } = binding;
    expect(await world.events(before)).toMatchObject([
      { type: 'channel.bound', binding: told },
      { type: 'channel.unbound', binding: told },
    ]);
    expect((await world.events(before, { for: 'other' })).length).toBe(2);
    expect((await world.events(before, { for: 'a' })).length).toBe(0);
    expect((await get(world)).bindings).toEqual([]);
    expect(await codeOf(() => world.call['channels/unbind']({ id: 'tg', bindingId: binding.bindingId }, world.as(owner)))).toBe(
      'not_found',
    );
  });

  test('an exclusive binding stands alone, whatever comes second; the refusal names it', async () => {
    await using world = await channelWorld('a', 'b');
    const { bindingId } = await bind(world, 'chat', 'a');
    for (const second of [
      bind(world, 'chat', 'b'),
      bind(world, 'chat', 'b', { mode: 'fanout' }),
      bind(world, 'chat', 'a', { mode: 'fanout' }),
    ])
      expect(await failureOf(second)).toMatchObject({ code: 'busy', details: { bindingId, target: 'id:a' } });
    expect(await bind(world, 'chat', 'a')).toMatchObject({ bindingId, created: false });
    expect((await bind(world, 'other chat', 'b')).created).toBe(true);
    expect((await bind(world, 'fan', 'a', { mode: 'fanout' })).created).toBe(true);
    expect((await bind(world, 'fan', 'b', { mode: 'fanout' })).created).toBe(true);
    expect(await codeOf(bind(world, 'fan', 'b'))).toBe('busy');
  });

  test('bindings of one turn see each other', async () => {
    await using world = await channelWorld('a', 'b');
    const outcomes = await Promise.allSettled([bind(world, 'chat', 'a'), bind(world, 'chat', 'b')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  test('a target must mean somebody, and not the channel itself', async () => {
    await using world = await channelWorld();
    expect(await codeOf(bind(world, 'chat', 'nobody'))).toBe('not_found');
    expect(await failureOf(bind(world, 'chat', 'tg'))).toMatchObject({ code: 'validation_failed', issues: [{ path: 'target' }] });
    expect(await failureOf(bind(world, 'chat', 'tag:'))).toMatchObject({ code: 'validation_failed', issues: [{ path: 'target' }] });
    expect((await bind(world, 'chat', 'id:to-come')).target).toBe('id:to-come');
  });

  test('the owner, a token with agents:write within its allow-list, and the channel itself may bind; other agents may not', async () => {
    await using world = await channelWorld('a');
    await world.register('tg', { instanceId: 'two', withToken: true }, owner);
    const narrow = scoped({ targets: ['tag:team', 'tg'] });
    expect((await bind(world, '1', 'a', { as: scoped({}) })).createdBy).toBe('token:ci');
    expect((await bind(world, '2', 'tag:team', { as: narrow })).created).toBe(true);
    expect(await codeOf(bind(world, '3', 'a', { as: narrow }))).toBe('forbidden_target');
    expect(await codeOf(bind(world, '3', 'tag:team', { as: scoped({ targets: ['tag:team'] }) }))).toBe('forbidden_target');
    expect((await bind(world, '4', 'a', { as: agentOf('tg', 2) })).createdBy).toBe('agent:tg');
    expect((await bind(world, '5', 'a', { as: scoped({ agentId: 'tg' }) })).created).toBe(true);
    expect(await codeOf(bind(world, '6', 'a', { as: agentOf('tg', 1) }))).toBe('stale_session');
    for (const other of [agentOf('a'), scoped({ agentId: 'a' }), anonymous])
      expect(await codeOf(bind(world, '7', 'a', { as: other }))).toBe('forbidden');
  });

  test('they outlive a restart and an outage, and go with the channel', async () => {
    await using world = await channelWorld('a');
    await bind(world, 'chat', 'a');
    await world.register('unbound', { kind: 'channel' }, owner);
    await world.restart();
    world.clock.advance(90_000_000);
    await world.relay.reap();
    world.clock.advance(90_000_000);
    await world.relay.reap();
    const { data } = await world.call['channels/list']({}, world.as(anonymous));
    expect(data.map(({ id, status, bindings }) => [id, status, bindings.length])).toEqual([['tg', 'offline', 1]]);
    await world.call['agents/remove']({ id: 'tg' }, world.as(owner));
    expect((await world.types()).slice(-2)).toEqual(['agent.removed', 'channel.unbound']);
    await world.register('tg', { kind: 'channel' }, owner);
    expect((await get(world)).bindings).toEqual([]);
  });

  test('what stops being a channel loses them', async () => {
    await using world = await channelWorld('a');
    await bind(world, 'chat', 'a');
    await world.register('tg', { kind: 'provider' }, owner);
    await world.register('tg', { kind: 'channel' }, owner);
    expect(await get(world)).toMatchObject({ transport: 'custom', bindings: [] });
  });
});

describe('what comes in', () => {
  test('it is a message from the channel that says who wrote it where, and the same report again is answered by it', async () => {
    await using world = await channelWorld('a');
    await bind(world, 'chat', 'a');
    const first = await receive(world, '10', { subject: 'a question' });
    expect(first).toMatchObject({
      created: true,
      messages: [
        {
          from: 'tg',
          to: 'id:a',
          body: 'hello',
          subject: 'a question',
          claimable: false,
          matched: 1,
          duplicate: false,
          meta: { channel: { conversationId: 'chat', senderId: 'u1', senderName: 'Ann', externalId: '10' } },
          sender: { relation: 'channel', principal: 'owner' },
        },
      ],
    });
    const head = world.head;
    const again = await receive(world, '10', { body: 'retried by a webhook' });
    expect(again).toEqual({ created: false, messages: first.messages.map((message) => ({ ...message, duplicate: true })) });
    await world.restart();
    expect((await receive(world, '10')).messages[0]?.id).toBe(first.messages[0]?.id);
    expect(world.head).toBe(head);
    expect(await receive(world, '10', { conversationId: 'other' }).catch((error: RelayError) => error.code)).toBe('unbound_conversation');
  });

  test('reports of one turn with the same name make one message', async () => {
    await using world = await channelWorld('a');
    await bind(world, 'chat', 'a');
    const answers = await Promise.all([receive(world, '10'), receive(world, '10'), receive(world, '10')]);
    expect(answers.map(({ created }) => created)).toEqual([true, false, false]);
    expect(new Set(answers.map(({ messages }) => messages[0]?.id)).size).toBe(1);
  });

  test('bound to nobody it is refused with the command that binds it, and nothing is stored', async () => {
    await using world = await channelWorld('a');
    const before = world.head;
    const refused = await failureOf(receive(world, '10', { conversationId: '-100 7' }));
    expect(refused).toMatchObject({ code: 'unbound_conversation', httpStatus: 409 });
    expect(refused.message).toContain("agent-relay channel bind tg -- '-100 7'");
    expect(world.head).toBe(before);
    await bind(world, '-100 7', 'a');
    expect((await receive(world, '10', { conversationId: '-100 7' })).created).toBe(true);
  });

  test('fan-out gives each target a message of its own; everything else binds where nothing nearer does', async () => {
    await using world = await channelWorld('a', 'b', 'c');
    await bind(world, '*', 'c');
    for (const target of ['a', 'b']) await bind(world, 'chat', target, { mode: 'fanout' });
    const fanned = await receive(world, '10');
    expect(fanned.messages.map(({ to }) => to).sort()).toEqual(['id:a', 'id:b']);
    expect((await receive(world, '10')).messages).toHaveLength(2);
    expect((await receive(world, '10', { conversationId: 'any other' })).messages.map(({ to }) => to)).toEqual(['id:c']);
  });

  test('bound alone to a group it is work that one agent takes', async () => {
    await using world = await channelWorld('a', 'b');
    await bind(world, 'chat', 'tag:team');
    const { messages } = await receive(world, '10');
    expect(messages).toMatchObject([{ to: 'tag:team', claimable: true, matched: 2 }]);
    const id = messages[0]?.id ?? 0;
    const claims = await Promise.all(
      ['a', 'b'].map((agentId) => codeOf(() => world.call['messages/claim']({ id, agentId }, world.as(anonymous)))),
    );
    expect(claims.sort()).toEqual(['already_claimed', 'none']);
  });

  test('an answer to what an agent wrote goes to that agent, in its thread, whoever the conversation is bound to', async () => {
    await using world = await channelWorld('a', 'b');
    await bind(world, 'chat', 'tag:team');
    const asked = (await receive(world, '10')).messages[0];
    const answer = await world.send('b', 'id:tg', 'on it', { replyTo: asked?.id ?? 0 });
    await link(world, answer.id, '11', '12');
    for (const part of ['11', '12']) {
      const reply = await receive(world, `re ${part}`, { replyToExternalId: part });
      expect(reply.messages).toMatchObject([{ to: 'id:b', replyTo: answer.id, threadId: asked?.threadId, claimable: false }]);
    }
    expect(await world.receipt(answer.id, 'tg')).toBe('answered reply');
    await world.call['agents/remove']({ id: 'b' }, world.as(owner));
    const late = await receive(world, 'late', { replyToExternalId: '12' });
    expect(late.messages).toMatchObject([{ to: 'tag:team', replyTo: answer.id, threadId: asked?.threadId, claimable: true }]);
  });

  test('an answer to what a person wrote goes where the conversation is bound, in the thread of each target', async () => {
    await using world = await channelWorld('a', 'b');
    for (const target of ['a', 'b']) await bind(world, 'chat', target, { mode: 'fanout' });
    const first = await receive(world, '10');
    const second = await receive(world, '11', { replyToExternalId: '10' });
    expect(second.messages.map(({ to, replyTo }) => [to, replyTo])).toEqual(first.messages.map(({ to, id }) => [to, id]));
    const unknown = await receive(world, '12', { replyToExternalId: 'from before' });
    expect(unknown.messages.map(({ replyTo }) => replyTo)).toEqual([null, null]);
  });

  test('only the channel brings it, in its newest session and within its allow-list; what nothing proves is claimed', async () => {
    await using world = await channelWorld('a', 'b');
    await bind(world, 'chat', 'a');
    expect((await receive(world, '1', { instanceId: 'one', epoch: 1 }, anonymous)).messages[0]?.sender.relation).toBe('claimed');
    expect(await codeOf(receive(world, '2', { instanceId: 'zero' }))).toBe('stale_session');
    await world.register('tg', { instanceId: 'two', withToken: true }, owner);
    expect((await receive(world, '3', {}, agentOf('tg', 2))).messages[0]?.sender).toEqual({ relation: 'channel', principal: 'agent:tg' });
    expect((await receive(world, '4', {}, scoped({ agentId: 'tg', targets: ['id:a'] }))).messages[0]?.sender.relation).toBe('channel');
    expect(await codeOf(receive(world, '5', {}, scoped({ agentId: 'tg', targets: ['id:b'] })))).toBe('forbidden_target');
    expect(await codeOf(receive(world, '6', {}, agentOf('tg', 1)))).toBe('stale_session');
    for (const other of [anonymous, agentOf('a'), scoped({}), scoped({ agentId: 'a' })]) {
      expect([await codeOf(receive(world, '3', {}, other)), await codeOf(receive(world, '7', {}, other))]).toEqual([
        'forbidden',
        'forbidden',
      ]);
    }
    const wrong = async () =>
      world.call['channels/receive']({ id: 'a', conversationId: 'chat', body: 'x', sender: ann, externalId: '1' }, world.as(owner));
    expect(await codeOf(wrong)).toBe('not_found');
  });

  test('when one target of several may not be addressed, none gets it', async () => {
    await using world = await channelWorld('a', 'b');
    for (const target of ['a', 'b']) await bind(world, 'chat', target, { mode: 'fanout' });
    const before = world.head;
    for (const allowed of ['id:a', 'id:b'])
      expect(await codeOf(receive(world, '1', {}, scoped({ agentId: 'tg', targets: [allowed] })))).toBe('forbidden_target');
    expect(world.head).toBe(before);
    expect((await receive(world, '1')).created).toBe(true);
  });

  test('a channel that only sends brings nothing', async () => {
    await using world = await channelWorld('a');
    await world.register('tg', { direction: 'outbound' }, owner);
    await bind(world, 'chat', 'a');
    expect(await codeOf(receive(world, '1'))).toBe('unsupported');
  });
});

describe('where mail to a channel belongs', () => {
  test('in order: the conversation it names, that of what it answers, that of its thread, the only one of its sender', async () => {
    await using world = await channelWorld('a', 'b');
    await bind(world, 'chat', 'a');
    await bind(world, 'mine', 'b');
    const asked = (await receive(world, '10')).messages[0]?.id ?? 0;
    const reply = await world.send('a', 'id:tg', 'x', { replyTo: asked });
    const named = await world.send('a', 'id:tg', 'x', { replyTo: asked, meta: { channel: { conversationId: 'chat' } } });
    const elsewhere = await world.send('a', 'id:tg', 'x', { replyTo: asked, meta: { channel: { conversationId: 'elsewhere' } } });
    const inThread = await world.send('a', 'id:tg', 'x', { replyTo: elsewhere.id });
    const own = await world.send('b', 'id:tg', 'x');
    const places = await Promise.all([reply, named, elsewhere, inThread, own].map(({ id }) => placeOf(world, id)));
    expect(places.map(({ conversationId, replyToExternalId }) => [conversationId, replyToExternalId])).toEqual([
      ['chat', '10'],
      ['chat', '10'],
      ['elsewhere', null],
      ['chat', null],
      ['mine', null],
    ]);
  });

  test('nobody guesses between two, or for a stranger', async () => {
    await using world = await channelWorld('a', 'b');
    await bind(world, 'one', 'a');
    await bind(world, 'two', 'a');
    await bind(world, '*', 'b');
    for (const from of ['a', 'b', 'stranger']) {
      const { id } = await world.send(from, 'id:tg');
      expect(await codeOf(placeOf(world, id))).toBe('unbound_conversation');
    }
    expect(await codeOf(placeOf(world, 9_999))).toBe('not_found');
    expect(await codeOf(placeOf(world, (await world.send('a', 'b')).id))).toBe('forbidden_target');
    await world.register('tg', { direction: 'inbound' }, owner);
    expect(await codeOf(placeOf(world, (await world.send('a', 'id:tg')).id))).toBe('unsupported');
  });

  test('what the relay tells the channel about a message goes to the conversation that message came from', async () => {
    await using world = await channelWorld('a');
    await bind(world, 'chat', 'a');
    const asked = (await receive(world, '10')).messages[0]?.id ?? 0;
    await world.call['agents/remove']({ id: 'a' }, world.as(owner));
    const { data } = await world.call['inbox/list']({ id: 'tg', peek: true }, world.as(owner));
    expect(data[0]?.message).toMatchObject({ from: 'relay', payload: { messageId: asked } });
    expect(await placeOf(world, data[0]?.message.id ?? 0)).toEqual({ conversationId: 'chat', replyToExternalId: '10' });
  });

  test('linking twice is linking once, and only the channel links its own mail', async () => {
    await using world = await channelWorld('a', 'b');
    await bind(world, 'chat', 'a');
    const { id } = await world.send('a', 'id:tg');
    await link(world, id, '1', '2');
    expect(await link(world, id, '1', '2')).toEqual({ messageId: id, conversationId: 'chat', externalIds: ['1', '2'] });
    const reply = await world.send('a', 'id:tg', 'more', { replyTo: id });
    expect(await placeOf(world, reply.id)).toEqual({ conversationId: 'chat', replyToExternalId: '1' });
    expect(await codeOf(link(world, (await world.send('a', 'b')).id, '3'))).toBe('forbidden_target');
    expect(await codeOf(link(world, 9_999, '3'))).toBe('not_found');
    const asOther = async () =>
      world.call['channels/link']({ id: 'tg', messageId: id, conversationId: 'chat', externalIds: ['9'] }, world.as(agentOf('a')));
    expect(await codeOf(asOther)).toBe('forbidden');
  });

  test('an agent is told when its answer did not reach the outside, and the person when an agent never read theirs', async () => {
    await using world = await channelWorld('a');
    const { id } = await world.send('a', 'id:tg');
    const report = { messageId: id, state: 'failed', reason: 'the chat is gone' } as const;
    for (const _ of [1, 2]) await world.call['deliveries/report']({ id: 'tg', reports: [report] }, world.as(anonymous));
    expect(await world.receipt(id, 'tg')).toBe('failed');
    const { data } = await world.call['inbox/list']({ id: 'a' }, world.as(anonymous));
    expect(data.map(({ message }) => [message.from, message.body, message.payload])).toEqual([
      [
        'relay',
        `tg could not send on message ${id}: the chat is gone`,
        { type: 'channel.failed', channelId: 'tg', reason: 'the chat is gone', messageId: id },
      ],
    ]);
  });

  test('links go with their messages', async () => {
    await using world = await channelWorld('a');
    await bind(world, 'chat', 'a');
    const first = await receive(world, '10');
    await world.ack('a', first.messages[0]?.id ?? 0);
    world.clock.advance(31 * 86_400_000);
    await world.relay.reap();
    expect(await codeOf(() => world.call['messages/get']({ id: first.messages[0]?.id ?? 0 }, world.as(owner)))).toBe('not_found');
    expect((await receive(world, '10')).created).toBe(true);
  });
});
