import type { AgentEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { defaultSettings } from '../../src/relay/contract/relay-settings.ts';
import { as, FarNode, owner as person, SessionWorld } from '../session-world.ts';
import { host } from './hosted.ts';
import { anonymous, nodeOf, owner, until, World } from './world.ts';

const patient = { staleTtlMs: 1_000_000, stalledAfterMs: 5_000 };

/** What is told of stalls, and which agents have stalled. */
const standing = async (world: World) => {
  const told = (await world.events()).flatMap((event) =>
    event.type === 'agent.stalled' || event.type === 'agent.recovered' ? [event.type.slice(6)] : [],
  );
  const { data } = await world.call['agents/list']({ stalled: true }, world.as(owner));
  return [told, data.map(({ id }) => id)];
};

/** An agent that has not fetched the mail of `count` senders. */
async function stall(world: World, count = 1) {
  await world.register('a');
  const sent = [];
  for (let index = 0; index < count; index += 1) sent.push((await world.send('cron', 'a')).id);
  world.clock.advance(6_000);
  await world.relay.reap();
  return sent;
}

test('an agent that has stalled says so until it takes mail, also over a restart of the relay', async () => {
  await using world = await World.open(patient);
  const sentAt = world.clock.now();
  await stall(world, 2);
  expect(await world.call['agents/get']({ id: 'a' }, world.as(owner))).toMatchObject({
    stalled: { cause: 'mail', since: sentAt, detail: 'It does not take its mail: 2 waiting' },
  });
  await world.restart();
  await world.relay.reap();
  expect(await standing(world)).toEqual([['stalled'], ['a']]);
  await world.poll('a');
  // The receipt of what is handed over is written a little later.
  world.clock.advance(defaultSettings.dispatchedDelayMs);
  await until(async () => (await standing(world))[1]?.length === 0);
  expect(await standing(world)).toEqual([['stalled', 'recovered'], []]);
  expect(await world.call['agents/get']({ id: 'a' }, world.as(owner))).not.toHaveProperty('stalled');
  expect((await world.call['agents/list']({ stalled: false }, world.as(owner))).data.map(({ id }) => id)).toContain('a');
});

test('who takes one piece of mail has time for the rest, and has stalled again when it takes none of it', async () => {
  await using world = await World.open(patient);
  const [first = 0] = await stall(world, 2);
  await world.ack('a', first);
  await world.relay.reap();
  expect(await standing(world)).toEqual([['stalled', 'recovered'], []]);
  world.clock.advance(6_000);
  await world.relay.reap();
  expect(await standing(world)).toEqual([['stalled', 'recovered', 'stalled'], ['a']]);
});

test('a turn that goes on, going away, and another session under the name end it; who is removed is told of by that alone', async () => {
  await using world = await World.open(patient);
  await stall(world);
  await world.call['agents/status']({ id: 'a', status: 'offline' }, world.as(anonymous));
  expect(await standing(world)).toEqual([['stalled', 'recovered'], []]);
  await world.call['agents/status']({ id: 'a', status: 'online' }, world.as(anonymous));
  world.clock.advance(6_000);
  await world.relay.reap();
  await world.register('a', { instanceId: 'another' });
  expect(await standing(world)).toEqual([['stalled', 'recovered', 'stalled', 'recovered'], []]);
  const registered = (await world.events()).findLast(({ type }) => type === 'agent.registered');
  expect(registered).not.toHaveProperty('agent.stalled');
  world.clock.advance(6_000);
  await world.relay.reap();
  await world.call['agents/remove']({ id: 'a' }, world.as(owner));
  expect((await standing(world))[0]).toEqual(['stalled', 'recovered', 'stalled', 'recovered', 'stalled']);
  await host(world, 'b', { nodeId: 'laptop' });
  await world.send('cron', 'b');
  world.clock.advance(6_000);
  await world.relay.reap();
  expect((await standing(world))[1]).toEqual(['b']);
  await world.call['agents/status']({ id: 'b', status: 'busy' }, world.as(nodeOf('laptop')));
  expect((await standing(world))[1]).toEqual([]);
});

test('mail that went another way ends it at the next look', async () => {
  await using world = await World.open(patient);
  const [id = 0] = await stall(world);
  await world.call['messages/remove']({ id }, world.as(owner));
  expect((await standing(world))[1]).toEqual(['a']);
  await world.relay.reap();
  expect(await standing(world)).toEqual([['stalled', 'recovered'], []]);
});

test('a turn that its machine calls still has stalled until its session tells anything else', async () => {
  const world = await SessionWorld.open();
  const node = new FarNode();
  await world.attach(node);
  const { sessionId } = await world.start('Worker');
  let seq = 0;
  const tell = (event: AgentEvent) => {
    seq += 1;
    return world.relay.nodeHandlers['activity/append']({ sessionId, entries: [{ seq, at: seq, event }] }, { ...as(person), link: node });
  };
  try {
    await tell({ type: 'turn.started', turnId: 't' });
    await tell({ type: 'session.status', status: 'waiting', detail: 'on approval' });
    expect(world.agent('Worker').stalled).toBeUndefined();
    await tell({ type: 'agent.error', code: 'no_progress', message: 'Nothing for five minutes', willRetry: true });
    expect(world.agent('Worker').stalled).toEqual({ cause: 'turn', since: world.clock.at, detail: 'Nothing for five minutes' });
    await world.relay.reap();
    expect(world.agent('Worker').stalled?.cause).toBe('turn');
    await tell({ type: 'text.completed', turnId: 't', itemId: 'i', text: 'at last' });
    expect(world.agent('Worker')).not.toHaveProperty('stalled');
    expect((await world.eventTypes()).filter((type) => type === 'agent.stalled' || type === 'agent.recovered')).toEqual([
      'agent.stalled',
      'agent.recovered',
    ]);
  } finally {
    await world.close();
  }
});
