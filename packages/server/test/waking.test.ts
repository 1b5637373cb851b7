import { type Principal, RelayError } from 'agent-relay-protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { as, FarNode, owner, SessionWorld, workspace } from './session-world.ts';

const WAIT = { timeout: 60_000, interval: 10 };
const far: Principal = { type: 'node', workspace, nodeId: 'far' };

let world: SessionWorld;
let node: FarNode;

beforeEach(async () => {
  world = await SessionWorld.open();
  node = new FarNode();
  await world.attach(node, [], owner, 'local');
});

afterEach(() => world.close());

const startsOf = (machine: FarNode) =>
  machine.commands
    .filter(({ name }) => name === 'session/start')
    .map(({ params }) => (params as { session: { agentId: string } }).session.agentId);

/** An agent that mail wakes, and that has ended. */
async function resting(name: string, over: object = {}): Promise<void> {
  await world.start(name, owner, { wake: 'fresh', ...over });
  await world.relay.handlers['agents/release']({ id: name }, as(owner));
}

const send = (to: string, more: object = {}, by: Principal = owner) =>
  Promise.resolve(world.relay.handlers['messages/send']({ to, body: 'hello', ...more }, as(by)));

describe('a machine that does not answer', () => {
  it('holds up neither the leases nor the agents of other machines', async () => {
    const other = new FarNode();
    await world.attach(other, [], far, 'far');
    for (const name of ['Silent', 'Silent2', 'Silent3']) await resting(name, { node: 'local' });
    await resting('Prompt', { node: 'far' });
    node.onStart = () => new Promise(() => {});
    node.commands.length = 0;
    await world.relay.handlers['agents/register']({ id: 'Holder', name: 'Holder' }, as(owner));
    const work = await send('broadcast', { claimable: true });
    const claim = await world.relay.handlers['messages/claim']({ id: work.id, agentId: 'Holder', leaseMs: 100_000 }, as(owner));
    for (const name of ['Silent', 'Silent2', 'Silent3', 'Prompt']) await send(`id:${name}`);
    world.clock.pass(60_000);
    await vi.waitFor(() => expect(world.agent('Prompt').sessionId).not.toBeNull(), WAIT);
    // No more at once than a machine can start.
    await vi.waitFor(() => expect(startsOf(node)).toHaveLength(2), WAIT);
    world.clock.pass(60_000);
    await vi.waitFor(async () => expect(await world.store.claims.get(workspace, claim.claimId)).toMatchObject({ status: 'expired' }), WAIT);
    expect(startsOf(node)).toHaveLength(2);
  });
});

describe('what is written', () => {
  it('is looked at for those whom it concerns, and mail that does not wake is read once', async () => {
    for (let index = 0; index < 20; index += 1) await resting(`Resting${index}`);
    for (let count = 0; count < 150; count += 1) await send('id:Resting1', { mode: 'fyi' });
    await world.relay.reap();
    const waiting = vi.spyOn(world.store.deliveries, 'waitingDirect');
    const records = vi.spyOn(world.store.records, 'list');
    await send('id:owner');
    await send('broadcast');
    await send('id:Resting1', { mode: 'fyi' });
    world.clock.pass(100);
    await world.sessions.settled();
    expect([waiting.mock.calls.length, records.mock.calls.length]).toEqual([0, 1]);
    await world.relay.reap();
    expect(waiting).toHaveBeenCalledTimes(20);
    node.commands.length = 0;
    await send('id:Resting1');
    world.clock.pass(100);
    await vi.waitFor(() => expect(startsOf(node)).toEqual(['Resting1']), WAIT);
  });

  it('while its session ran wakes it when that has ended', async () => {
    await world.start('Worker', owner, { wake: 'fresh' });
    await send('id:Worker');
    world.clock.pass(100);
    await world.sessions.settled();
    expect(startsOf(node)).toHaveLength(1);
    await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
    world.clock.pass(100);
    await vi.waitFor(() => expect(startsOf(node)).toHaveLength(2), WAIT);
  });

  it('while its machine was away wakes it when that is back', async () => {
    await resting('Worker');
    world.clock.pass(20_000);
    await world.sessions.settled();
    world.relay.nodeDetached(node);
    await send('id:Worker');
    world.clock.pass(100);
    await world.sessions.settled();
    expect(startsOf(node)).toHaveLength(1);
    world.clock.pass(10_000);
    await world.attach(node, [], owner, 'local');
    world.clock.pass(100);
    await vi.waitFor(() => expect(startsOf(node)).toHaveLength(2), WAIT);
  });

  it('wakes where it is to one agent, of somebody who has proven who they are', async () => {
    await resting('Worker', { tags: ['team'], channels: ['news'] });
    const anonymous: Principal = { type: 'anonymous', workspace };
    await world.relay.handlers['agents/register']({ id: 'Peer', name: 'Peer' }, as(anonymous));
    for (const to of ['broadcast', 'tag:team', 'channel:news']) expect((await send(to)).matched).toBeGreaterThan(0);
    await send('id:Worker', { from: 'Peer' }, anonymous);
    await world.relay.reap();
    expect(startsOf(node)).toHaveLength(1);
    await send('id:Worker');
    await world.relay.reap();
    expect(startsOf(node)).toHaveLength(2);
  });

  it('is told with the session that it began, or why none could be started', async () => {
    await resting('Worker');
    const woken = async () => {
      const { entries } = await world.store.log.read(0, 10_000);
      const events = entries.flatMap((entry) => [...entry.events()]);
      return events.flatMap((event) =>
        event.type === 'agent.woken' ? [[event.agentId, event.messageId, event.sessionId, event.reason]] : [],
      );
    };
    const first = await send('id:Worker');
    world.clock.pass(100);
    await vi.waitFor(async () => expect(await woken()).toEqual([['Worker', first.id, world.agent('Worker').sessionId, null]]), WAIT);
    await resting('Unlucky');
    node.onStart = () => Promise.reject(new RelayError('provider_unavailable', 'Claude is not installed'));
    const second = await send('id:Unlucky');
    world.clock.pass(100);
    const told = expect.stringContaining('Claude is not installed');
    await vi.waitFor(async () => expect((await woken())[1]).toEqual(['Unlucky', second.id, null, told]), WAIT);
  });

  it('starts so many agents an hour, all together', async () => {
    const names = Array.from({ length: 11 }, (_, index) => `Loop${index}`);
    for (const name of names) await resting(name);
    node.commands.length = 0;
    for (const name of names) await send(`id:${name}`);
    for (let round = 0; round < 12; round += 1) {
      await world.relay.reap();
      for (const name of names)
        await Promise.resolve(world.relay.handlers['agents/release']({ id: name }, as(owner))).catch(() => undefined);
    }
    expect(startsOf(node)).toHaveLength(120);
    world.clock.at += 3_600_000;
    await world.relay.reap();
    expect(startsOf(node)).toHaveLength(131);
  });
});

describe('an agent that rests', () => {
  it('keeps its address and its card however long it does, until mail no longer wakes it', async () => {
    await resting('Worker', { tags: ['team'] });
    await resting('Gone');
    await Promise.resolve(world.relay.handlers['agents/release']({ id: 'Gone', wake: 'never' }, as(owner))).catch(() => undefined);
    world.clock.at += 30 * 86_400_000;
    await world.relay.reap();
    expect(world.agent('Worker').tags).toEqual(['team']);
    expect(() => world.agent('Gone')).toThrow();
  });

  it('is woken on the terms that it was last started with', async () => {
    await resting('Worker', { mode: 'unrestricted', model: 'big' });
    await world.start('Worker', owner, { mode: 'safe', cwd: '/other' });
    await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
    await send('id:Worker');
    await world.relay.reap();
    expect(startsOf(node)).toHaveLength(3);
    expect(node.commands.findLast(({ name }) => name === 'session/start')?.params).toMatchObject({
      mode: 'safe',
      cwd: '/other',
      model: null,
    });
  });
});
