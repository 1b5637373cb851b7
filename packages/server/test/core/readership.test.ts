import { type Principal, type RelayError, type RelayEvent, type RouteName, routeNames, routes, type Scope } from 'agent-relay-protocol';
import { expect, test, vi } from 'vitest';
import type { IntegrationSettings } from '../../src/relay/contract/integration-settings.ts';
import type { CallContext } from '../../src/relay/contract/relay-contract.ts';
import { defaultSettings } from '../../src/relay/contract/relay-settings.ts';
import { ScanTurns } from '../../src/store/sqlite/scan-turns.ts';
import { ThreadParticipants } from '../../src/store/sqlite/thread-participants.ts';
import { end, host } from './hosted.ts';
import { agentOf, anonymous, anotherTurn, codeOf, nodeOf, observer, owner, World } from './world.ts';

const SECRET = 'the-launch-code';
const everyReadScope: Scope[] = [
  'events:read',
  'messages:read',
  'tasks:read',
  'pairs:read',
  'channels:read',
  'sessions:read',
  'agents:read',
];
const scoped: Principal = {
  ...(observer as Extract<Principal, { type: 'token' }>),
  tokenId: 't',
  name: 'reader',
  kind: 'scoped',
  scopes: everyReadScope,
};
const narrowed: Principal = { ...scoped, scopes: ['*'], targets: ['id:spy'] };
const integration: Principal = {
  type: 'integration',
  workspace: 'default',
  name: 'other',
  scopes: everyReadScope,
  targets: null,
  channels: null,
};
const ci: IntegrationSettings = {
  name: 'ci',
  tokenHash: 'none',
  tokenLength: 0,
  scopes: [],
  targets: null,
  channels: null,
  callbackUrl: null,
  callbackKey: 'x'.repeat(32),
};
const spies: Readonly<Record<string, Principal>> = {
  'another agent': agentOf('spy'),
  'a program without a token': anonymous,
  'a token that reads messages': scoped,
  'a token with everything, narrowed to other targets': narrowed,
  'another integration': integration,
  'a node that hosts neither': nodeOf('elsewhere'),
  "another agent's own token": { ...scoped, kind: 'agent', agentId: 'spy' },
};

/** Two agents with tokens that keep a secret, in every shape in which the relay carries one, and an agent that has nothing to do with it. */
async function secretive(): Promise<World> {
  const world = await World.open({ guard: { ...defaultSettings.guard, hops: 1 } }, { integrations: [ci] });
  for (const id of ['a', 'b', 'spy']) await world.register(id, { withToken: true, tags: id === 'spy' ? [] : ['ops'], channels: [] }, owner);
  const [a, b] = [agentOf('a'), agentOf('b')];
  const { call } = world;
  const asked = await call['messages/send']({ to: 'b', body: SECRET, subject: SECRET }, world.as(a));
  const answered = await call['messages/send']({ replyTo: asked.id, body: SECRET, meta: { note: SECRET } }, world.as(b));
  expect(await codeOf(() => call['messages/send']({ replyTo: answered.id, body: SECRET }, world.as(a)))).toBe('message_held');
  await call['messages/send']({ to: 'tag:ops', body: SECRET }, world.as(a));
  const offered = await call['messages/send']({ to: 'b', body: SECRET, claimable: true }, world.as(a));
  const claim = await call['messages/claim']({ id: offered.id }, world.as(b));
  await call['claims/progress']({ id: claim.claimId, progress: SECRET }, world.as(b));
  await call['claims/complete']({ id: claim.claimId, result: SECRET }, world.as(b));
  const reporter: Principal = { ...(integration as Extract<Principal, { type: 'integration' }>), name: 'ci', scopes: ['tasks:create'] };
  await call['integrations/report']({ title: SECRET, body: SECRET, target: 'b', metadata: { SECRET } }, world.as(reporter));
  const pair = await call['pairs/request']({ target: 'b', objective: SECRET }, world.as(a));
  await call['pairs/accept']({ id: pair.id }, world.as(b));
  await call['pairs/send']({ id: pair.id, body: SECRET }, world.as(a));
  return world;
}

/** The inputs to try a GET route with: each number, agent and claim there is. */
function inputsFor(path: string, numbers: readonly number[], claimIds: readonly string[]): Record<string, unknown>[] {
  const agents = ['a', 'b', 'spy'];
  if (path.endsWith('/conversation')) return agents.map((id) => ({ id, messageId: 1 }));
  if (path.endsWith('/inbox')) return agents.map((id) => ({ id, peek: true }));
  if (path.startsWith('/agents/:id') || path.startsWith('/channels/:id')) return agents.map((id) => ({ id }));
  if (path.includes(':claimId')) return claimIds.map((claimId) => ({ claimId }));
  if (path.includes(':sessionId')) return [{ sessionId: 'none' }];
  return path.includes(':id') ? numbers.map((id) => ({ id })) : [{}];
}

/** Everything a caller can get at by reading: each GET route, each filter of its lists, what answers with the thing itself, and the log from its beginning. */
async function everythingRead(world: World, principal: Principal): Promise<{ readonly called: Set<RouteName>; readonly text: string }> {
  const context = world.as(principal);
  const called = new Set<RouteName>();
  const texts: string[] = [];
  const take = async (name: RouteName, input: Record<string, unknown>) => {
    called.add(name);
    const handler = world.call[name] as (input: unknown, context: CallContext) => unknown; // each is given what its schema takes
    try {
      texts.push(JSON.stringify(await handler(routes[name].input.parse(input), context)));
    } catch (error) {
      texts.push(String(error));
    }
  };
  const numbers = Array.from({ length: world.head }, (_, index) => index + 1);
  const claimIds = await claimsOf(world);
  for (const name of routeNames) {
    if (routes[name].method !== 'GET') continue;
    for (const input of inputsFor(routes[name].path, numbers, claimIds)) await take(name, input);
  }
  for (const filter of [{ for: 'a' }, { from: 'a' }, { to: 'b' }, { claimable: true }, { newest: true }])
    await take('messages/list', filter);
  for (const filter of [{ held: true }, { for: 'b', held: true }]) await take('work/list', filter);
  for (const id of numbers) await take('tasks/status', { id, agentId: 'spy', status: 'open' });
  for (const filter of [{}, { for: 'a' }, { for: 'b' }]) texts.push(JSON.stringify(await eventsOf(world, principal, filter)));
  return { called, text: texts.join('\n') };
}

const claimsOf = async (world: World): Promise<string[]> =>
  (await world.events(0, { types: ['message.claimed'] })).flatMap((event) =>
    event.type === 'message.claimed' ? [event.claim.claimId] : [],
  );

async function eventsOf(world: World, principal: Principal, filter: { for?: string } = {}): Promise<RelayEvent[]> {
  const ending = new AbortController();
  const found: RelayEvent[] = [];
  const { batches } = await world.relay.openEvents({ after: 0, ...filter }, world.as(principal, ending.signal));
  const reading = (async () => {
    for await (const batch of batches) if ('events' in batch) found.push(...batch.events);
  })();
  for (let turn = 0; turn < 50; turn += 1) await anotherTurn();
  ending.abort();
  await reading;
  return found;
}

for (const [who, principal] of Object.entries(spies)) {
  test(`${who} reads nothing of what two others say to each other, by whichever way`, async () => {
    await using world = await secretive();
    const { called, text } = await everythingRead(world, principal);
    expect(routeNames.filter((name) => routes[name].method === 'GET' && !called.has(name))).toEqual([]);
    const at = text.indexOf(SECRET);
    expect(at === -1 ? 'nothing' : text.slice(Math.max(0, at - 300), at + 40)).toBe('nothing');
  });
}

/** What is done to a thing by its number, as a spy would: in its own name, and in nobody's. */
const deeds: readonly (readonly [RouteName, Record<string, unknown>])[] = [
  ['messages/send', { from: 'spy', body: 'x' }],
  ['messages/send', { from: 'spy', to: 'id:spy', body: 'x' }],
  ['messages/dismiss', {}],
  ['messages/remove', {}],
  ['messages/remove', { agentId: 'spy' }],
  ['messages/claim', { agentId: 'spy' }],
  ['messages/read', { agentId: 'spy' }],
  ['messages/verify', {}],
  ['tasks/claim', { agentId: 'spy' }],
  ['tasks/status', { agentId: 'spy', status: 'done' }],
  ['pairs/accept', { agentId: 'spy' }],
  ['pairs/reject', { agentId: 'spy' }],
  ['pairs/send', { from: 'spy', body: 'x' }],
  ['pairs/hangup', { agentId: 'spy' }],
  ['holds/release', {}],
  ['holds/refuse', {}],
  ['channels/link', { id: 'tg', conversationId: 'c', externalIds: ['1'] }],
];

test.each(Object.keys(spies))('%s is refused what it may not read in the words for what is not there', async (who) => {
  await using world = await secretive();
  await world.register('tg', { kind: 'channel' }, owner);
  const principal = who === "another agent's own token" ? { ...spies[who], scopes: ['*'] } : spies[who];
  const refusal = async (name: RouteName, id: number, input: Record<string, unknown>) => {
    const field = name === 'messages/send' ? 'replyTo' : name === 'channels/link' ? 'messageId' : 'id';
    const handler = world.call[name] as (input: unknown, context: CallContext) => unknown; // each is given what its schema takes
    try {
      await handler(routes[name].input.parse({ ...input, [field]: id }), world.as(principal as Principal));
      return `${name} is done to ${id}`;
    } catch (error) {
      const { code, message, details } = error as RelayError;
      return `${name} ${code} ${message.replaceAll(String(id), 'N')} ${JSON.stringify(details ?? null)}`;
    }
  };
  const { head } = world;
  for (const [name, input] of deeds) {
    const absent = await refusal(name, 99_999, input);
    for (let id = 1; id <= head; id += 1) expect([id, await refusal(name, id, input)]).toEqual([id, absent]);
  }
});

test('who says it, who it is said to, the owner and who was given the scope read all of it', async () => {
  await using world = await secretive();
  const countFor = async (principal: Principal) => (await everythingRead(world, principal)).text.split(SECRET).length > 30;
  for (const principal of [agentOf('a'), agentOf('b'), owner, observer])
    expect([principal, await countFor(principal)]).toEqual([principal, true]);
});

test('live readers are told by the same rule as those who page', async () => {
  await using world = await secretive();
  const ending = new AbortController();
  const seen: string[] = [];
  const reading: Promise<void>[] = [];
  for (const [name, principal] of [...Object.entries(spies), ['b', agentOf('b')] as const]) {
    const { batches } = await world.relay.openEvents({}, world.as(principal, ending.signal));
    reading.push(
      (async () => {
        for await (const batch of batches) if (JSON.stringify(batch).includes('only for b')) seen.push(name);
      })(),
    );
  }
  for (let turn = 0; turn < 20; turn += 1) await anotherTurn();
  const sent = await world.call['messages/send']({ to: 'b', body: 'only for b' }, world.as(agentOf('a')));
  await world.call['messages/send']({ replyTo: sent.id, body: 'only for b, too' }, world.as(agentOf('b')));
  for (let turn = 0; turn < 50; turn += 1) await anotherTurn();
  ending.abort();
  await Promise.all(reading);
  expect([...new Set(seen)]).toEqual(['b']);
});

const bodies = async (world: World, principal: Principal, query: { for?: string } = {}): Promise<string[]> =>
  (await world.call['messages/list'](query, world.as(principal))).data.map(({ body }) => body);

test('an agent reads what it sent and received, its groups and channels while it is in them, and what is said to everybody', async () => {
  await using world = await World.open();
  for (const id of ['a', 'b', 'c'])
    await world.register(id, { withToken: true, tags: id === 'a' ? ['ops'] : [], channels: id === 'b' ? ['deploy'] : [] }, owner);
  const say = (to: string, body: string) => world.call['messages/send']({ to, body }, world.as(agentOf('c')));
  await say('broadcast', 'to all');
  await say('tag:ops', 'to ops');
  await say('channel:deploy', 'in deploy');
  await say('a', 'to a');
  expect(await bodies(world, agentOf('a'))).toEqual(['to all', 'to ops', 'to a']);
  expect(await bodies(world, agentOf('b'))).toEqual(['to all', 'in deploy']);
  expect(await bodies(world, agentOf('c'))).toEqual(['to all', 'to ops', 'in deploy', 'to a']);
  await world.call['agents/tags']({ id: 'b', tags: ['ops'] }, world.as(agentOf('b')));
  expect(await bodies(world, agentOf('b'))).toEqual(['to all', 'in deploy']);
  await say('tag:ops', 'later');
  expect(await bodies(world, agentOf('b'))).toEqual(['to all', 'in deploy', 'later']);
});

test('whoever comes into a thread that began between two reads all of it, and nobody answers their way in', async () => {
  await using world = await World.open();
  for (const id of ['a', 'b', 'c', 'spy']) await world.register(id, { withToken: true }, owner);
  const { call } = world;
  const root = await call['messages/send']({ to: 'b', body: 'root' }, world.as(agentOf('a')));
  const answered = await call['messages/send']({ replyTo: root.id, body: 'answer' }, world.as(agentOf('b')));
  expect(await bodies(world, agentOf('c'))).toEqual([]);
  expect(await codeOf(() => call['messages/send']({ replyTo: root.id, to: 'a', body: 'let me in' }, world.as(agentOf('spy'))))).toBe(
    'not_found',
  );
  await call['messages/send']({ replyTo: answered.id, to: 'c', body: 'your part' }, world.as(agentOf('a')));
  expect(await bodies(world, agentOf('c'))).toEqual(['root', 'answer', 'your part']);
  const { data } = await call['messages/thread']({ id: root.id }, world.as(agentOf('c')));
  expect(data.map(({ body }) => body)).toEqual(['root', 'answer', 'your part']);
  expect(await bodies(world, agentOf('spy'))).toEqual([]);
});

test('answers to what was said to many stay between those who exchange them', async () => {
  await using world = await World.open();
  for (const id of ['a', 'b', 'c']) await world.register(id, { withToken: true }, owner);
  const { call } = world;
  const root = await call['messages/send']({ to: 'broadcast', body: 'who?' }, world.as(agentOf('a')));
  for (const id of ['b', 'c']) await call['messages/send']({ replyTo: root.id, body: `me, ${id}` }, world.as(agentOf(id)));
  expect(await bodies(world, agentOf('a'))).toEqual(['who?', 'me, b', 'me, c']);
  expect(await bodies(world, agentOf('b'))).toEqual(['who?', 'me, b']);
  const { data } = await call['messages/thread']({ id: root.id }, world.as(agentOf('c')));
  expect(data.map(({ body }) => body)).toEqual(['who?', 'me, c']);
});

test('a program without a token reads what programs without one have said, and never what a session with a token had, also when that is over', async () => {
  await using world = await World.open();
  await world.register('plain');
  const { session } = await host(world, 'kept', { nodeId: 'n' });
  await world.register('lead', { withToken: true }, owner);
  const say = (to: string, body: string, from = 'lead') => world.call['messages/send']({ to, body }, world.as(agentOf(from)));
  await say('plain', 'for plain');
  await say('kept', 'for kept');
  await world.send('script', 'id:somebody', 'from a script');
  expect(await bodies(world, anonymous)).toEqual(['for plain', 'from a script']);
  await end(world, session);
  await say('kept', 'waits for its next session');
  expect(await bodies(world, anonymous)).toEqual(['for plain', 'from a script']);
  await world.restart();
  expect(await bodies(world, anonymous)).toEqual(['for plain', 'from a script']);
  await world.call['agents/remove']({ id: 'kept' }, world.as(owner));
  expect(await bodies(world, anonymous)).toEqual(['for plain', 'from a script']);
  await world.register('kept', { instanceId: 'a plain one' });
  await say('kept', 'for the plain one');
  expect(await bodies(world, anonymous)).toEqual(['for plain', 'from a script', 'for the plain one']);
});

test('who takes the name of a session that had a token takes no part in its threads and tasks, whatever is said in them later', async () => {
  await using world = await World.open({}, { integrations: [ci] });
  const { call } = world;
  const reporter: Principal = { ...(integration as Extract<Principal, { type: 'integration' }>), name: 'ci', scopes: ['tasks:create'] };
  for (const id of ['lead', 'c']) await world.register(id, { withToken: true }, owner);
  const { session } = await host(world, 'kept', { nodeId: 'n' });
  const root = await call['messages/send']({ to: 'kept', body: 'root' }, world.as(agentOf('lead')));
  await call['messages/send']({ replyTo: root.id, body: 'answer' }, world.as(agentOf('kept')));
  const { task } = await call['integrations/report']({ title: 'task', body: 'secret', target: 'kept' }, world.as(reporter));
  await end(world, session);
  await world.register('kept', { instanceId: 'a plain one' });
  await call['messages/send']({ to: 'c', replyTo: root.id, body: 'later' }, world.as(agentOf('lead')));
  await call['messages/remove']({ id: task?.id ?? 0 }, world.as(owner));
  const mail = (event: RelayEvent) => event.type === 'message.new' || event.type.startsWith('task.');
  for (const principal of [anonymous, scoped]) {
    expect(await bodies(world, principal)).toEqual([]);
    for (const filter of [{}, { for: 'kept' }]) expect((await eventsOf(world, principal, filter)).filter(mail)).toEqual([]);
  }
  await call['messages/send']({ to: 'kept', replyTo: root.id, body: 'for the plain one' }, world.as(agentOf('lead')));
  expect(await bodies(world, anonymous)).toEqual(['for the plain one']);
  await call['messages/send']({ to: 'kept', body: 'begun with it' }, world.as(agentOf('lead')));
  expect(await bodies(world, anonymous)).toEqual(['for the plain one', 'begun with it']);
  await world.restart();
  expect(await bodies(world, anonymous)).toEqual(['for the plain one', 'begun with it']);
  expect(await bodies(world, agentOf('c'))).toEqual(['root', 'answer', 'later', 'for the plain one']);
});

test('a receipt of mail to many is told to its sender, and to each recipient its own', async () => {
  await using world = await World.open();
  for (const id of ['a', 'b', 'c']) await world.register(id, { withToken: true }, owner);
  const { id } = await world.call['messages/send']({ to: 'broadcast', body: 'all' }, world.as(agentOf('a')));
  const recipients = async (principal: Principal) =>
    (await world.call['messages/deliveries']({ id }, world.as(principal))).data.map(({ agentId }) => agentId);
  expect([await recipients(agentOf('a')), await recipients(agentOf('b'))]).toEqual([['b', 'c'], ['b']]);
});

test('a list of messages that hides most of them still answers full pages and goes on', async () => {
  await using world = await World.open();
  for (const id of ['a', 'b', 'c']) await world.register(id, { withToken: true }, owner);
  for (let round = 0; round < 30; round += 1) {
    const noise = Array.from({ length: 20 }, async () => world.call['messages/send']({ to: 'b', body: 'noise' }, world.as(agentOf('a'))));
    await Promise.all(noise);
    await world.call['messages/send']({ to: 'c', body: `${round}` }, world.as(agentOf('b')));
  }
  const found: string[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const { data, nextCursor }: { data: { body: string }[]; nextCursor?: number | undefined } = await world.call['messages/list'](
      { after, limit: 7 },
      world.as(agentOf('c')),
    );
    found.push(...data.map(({ body }) => body));
    after = nextCursor;
  }
  expect(found).toEqual(Array.from({ length: 30 }, (_, round) => `${round}`));
  const newest = await world.call['messages/list']({ newest: true, limit: 2 }, world.as(agentOf('c')));
  expect(newest.data.map(({ body }) => body)).toEqual(['28', '29']);
});

/** A thread of two with tokens, of so many answers, that begins between them; what they say to others goes in between. */
async function longThread(answers: number): Promise<{ readonly world: World; readonly said: readonly string[] }> {
  const world = await World.open({ guard: { ...defaultSettings.guard, pairPerMinute: 10_000, threadPerMinute: 10_000, hops: 10_000 } });
  for (const id of ['a', 'b', 'late', 'out']) await world.register(id, { withToken: true }, owner);
  const root = await world.call['messages/send']({ to: 'b', body: 'root' }, world.as(agentOf('a')));
  const said = ['root'];
  for (let number = 0; number < answers; number += 1) {
    const body = `answer ${number}`;
    await world.call['messages/send']({ to: 'a', replyTo: root.id, body }, world.as(agentOf('b')));
    said.push(body);
    if (number % 100 === 0) await world.call['messages/send']({ to: 'out', body: `out ${number}` }, world.as(agentOf('a')));
  }
  await world.call['messages/send']({ to: 'late', replyTo: root.id, body: 'come in' }, world.as(agentOf('a')));
  return { world, said: [...said, 'come in'] };
}

test('who is outside a long thread is shown none of it, who came in last all of it, and others get their turns while it is passed over', async () => {
  const { world: opened, said } = await longThread(600);
  await using world = opened;
  const looked = { inTurn: 0, most: 0 };
  const [next, of] = [ScanTurns.prototype.next, ThreadParticipants.prototype.of];
  using turns = vi.spyOn(ScanTurns.prototype, 'next').mockImplementation(function (this: ScanTurns) {
    looked.inTurn = 0;
    return next.call(this);
  });
  using _ = vi.spyOn(ThreadParticipants.prototype, 'of').mockImplementation(function (this: ThreadParticipants, ...thread) {
    looked.inTurn += 1;
    looked.most = Math.max(looked.most, looked.inTurn);
    return of.apply(this, thread);
  });
  const outside = ['out 0', 'out 100', 'out 200', 'out 300', 'out 400', 'out 500'];
  const bodiesOf = async (id: string, newest: boolean) =>
    (await world.call['messages/list']({ limit: 500, newest }, world.as(agentOf(id)))).data.map(({ body }) => body);
  for (const newest of [false, true]) {
    expect(await bodiesOf('out', newest)).toEqual(outside);
    expect(turns.mock.calls.length).toBeGreaterThanOrEqual(3);
    turns.mockClear();
    looked.inTurn = 0;
  }
  expect(looked.most).toBeLessThanOrEqual(200);
  expect(await bodiesOf('late', false)).toEqual(said.slice(0, 500));
  expect(await bodiesOf('late', true)).toEqual(said.slice(-500));
});
