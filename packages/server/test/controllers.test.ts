import type { Principal, RelayEvent } from 'agent-relay-protocol';
import { watchingLimits } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { as, FarNode, offered, owner, SessionWorld, workspace } from './session-world.ts';

let world: SessionWorld;
let node: FarNode;
beforeEach(async () => {
  world = await SessionWorld.open();
  node = new FarNode();
  await world.attach(node);
});
afterEach(() => world.close());

const token = (name: string, scopes: readonly string[]): Principal =>
  ({ type: 'token', workspace, tokenId: name, name, kind: 'scoped', agentId: null, scopes, targets: null, channels: null }) as Principal;
const ci = token('ci', ['messages:write', 'sessions:write', 'sessions:read', 'events:read']);
const observer = token('observer', ['sessions:read', 'events:read', 'workspace:read']);

const sessionOf = async (id: string, principal: Principal = owner) => {
  const { data } = await world.relay.handlers['sessions/list']({ agent: id }, as(principal));
  return data[0];
};
const controllersOf = async (id: string, principal: Principal = owner) =>
  (await sessionOf(id, principal))?.controllers?.map(({ by }) => by);

async function told(principal: Principal): Promise<readonly Extract<RelayEvent, { type: 'controllers.updated' }>[]> {
  const stop = new AbortController();
  const { batches } = await world.relay.openEvents({ after: 0 }, { principal, signal: stop.signal });
  const seen: RelayEvent[] = [];
  // Everybody may read that.
  const end = await world.relay.handlers['messages/send']({ to: 'broadcast', body: 'the end' }, as(owner));
  for await (const batch of batches) {
    if ('events' in batch) seen.push(...batch.events);
    if (seen.some((event) => event.seq >= end.id)) break;
  }
  stop.abort();
  return seen.flatMap((event) => (event.type === 'controllers.updated' ? [event] : []));
}

it('who started, wrote into the turn, interrupted or changed the card steers the session, and is told of once', async () => {
  await world.start('Worker');
  expect(await controllersOf('Worker')).toEqual(['owner']);
  await world.relay.handlers['messages/send']({ to: 'Worker', from: 'ci', body: 'Later', mode: 'next' }, as(ci));
  expect(await controllersOf('Worker')).toEqual(['owner']);
  await world.relay.handlers['messages/send']({ to: 'Worker', from: 'ci', body: 'Now', mode: 'now' }, as(ci));
  await world.relay.handlers['agents/interrupt']({ id: 'Worker' }, as(token('panel', ['sessions:write'])));
  await world.relay.handlers['messages/send']({ to: 'Worker', from: 'ci', body: 'Again', mode: 'urgent' }, as(ci));
  await world.relay.handlers['agents/label']({ id: 'Worker', label: 'the worker' }, as(token('all', ['*'])));
  const session = await sessionOf('Worker');
  expect(session?.controllers?.map(({ by }) => by)).toEqual(['owner', 'token:ci', 'token:panel', 'token:all']);
  expect(await world.relay.handlers['sessions/get']({ id: session?.sessionId ?? '' }, as(owner))).toEqual(session);
  expect((await told(owner)).map(({ agentId, joined, left }) => [agentId, joined, left])).toEqual([
    ['Worker', ['owner'], []],
    ['Worker', ['token:ci'], []],
    ['Worker', ['token:panel'], []],
    ['Worker', ['token:all'], []],
  ]);
});

it('whoever may not see what the agent does is neither shown nor told who steers it', async () => {
  const { instanceId, epoch } = await world.start('Worker');
  const agent = (agentId: string): Principal => ({ type: 'agent', workspace, agentId, epoch });
  await world.relay.handlers['agents/register']({ name: 'Other' }, as(owner));
  const session = await sessionOf('Worker');
  for (const principal of [ci, agent('Other'), { type: 'anonymous', workspace } as const]) {
    const seen = await sessionOf('Worker', principal);
    expect([seen?.instanceId, seen?.controllers]).toEqual([instanceId, undefined]);
    expect(await world.relay.handlers['sessions/get']({ id: session?.sessionId ?? '' }, as(principal))).not.toHaveProperty('controllers');
    expect(await told(principal)).toEqual([]);
  }
  for (const principal of [observer, agent('Worker')]) {
    expect(await controllersOf('Worker', principal)).toEqual(['owner']);
    expect(await told(principal)).toHaveLength(1);
  }
});

it('who has not steered for a quarter of an hour is no controller, and the relay tells so; with the session all are gone', async () => {
  await world.start('Worker');
  world.clock.at += watchingLimits.steeringMs - 1;
  await world.relay.handlers['messages/send']({ to: 'Worker', from: 'ci', body: 'Now', mode: 'now' }, as(ci));
  world.clock.at += 1;
  expect(await controllersOf('Worker')).toEqual(['token:ci']);
  await world.relay.reap();
  expect((await told(owner)).at(-1)).toMatchObject({ joined: [], left: ['owner'], controllers: [{ by: 'token:ci' }] });
  const session = await sessionOf('Worker');
  world.relay.nodeDetached(node);
  world = await world.restart();
  await world.attach(new FarNode(), session ? [offered(session)] : []);
  expect(await controllersOf('Worker')).toEqual(['token:ci']);
  await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
  expect(await sessionOf('Worker')).not.toHaveProperty('controllers');
  await world.start('Worker');
  expect(await controllersOf('Worker')).toEqual(['owner']);
});
