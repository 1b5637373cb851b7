import { type ActivityWatchers, type AgentEvent, type Principal, type Session, watchingLimits } from 'agent-relay-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveActivityEntry } from '../src/relay/contract/relay-contract.ts';
import { as, FarNode, owner, SessionWorld, workspace } from './session-world.ts';

let world: SessionWorld;
let node: FarNode;
let session: Session;
beforeEach(async () => {
  world = await SessionWorld.open();
  node = new FarNode();
  await world.attach(node);
  session = await world.start('Worker');
});
afterEach(() => world.close());

const line = (text: string): AgentEvent => ({ type: 'output.line', stream: 'stdout', text });
const append = (...seqs: number[]) =>
  world.relay.nodeHandlers['activity/append'](
    { sessionId: session.sessionId, entries: seqs.map((seq) => ({ seq, at: seq, event: line(`line ${seq}`) })) },
    { ...as(owner), link: node },
  );
const list = (over: object = {}) => Promise.resolve(world.relay.handlers['agents/activity']({ id: 'Worker', ...over }, as(owner)));

it('what is sent twice is stored once, and what is missing is asked for', async () => {
  expect(await append(1, 2)).toEqual({ ackedSeq: 2 });
  expect(await append(1, 2, 3)).toEqual({ ackedSeq: 3 });
  expect(await append(2)).toEqual({ ackedSeq: 3 });
  await expect(append(5)).rejects.toMatchObject({
    code: 'validation_failed',
    details: { ackedSeq: 3 },
    issues: [{ path: 'entries.0.seq' }],
  });
  await expect(append(4, 6)).rejects.toMatchObject({ code: 'validation_failed' });
  expect((await list()).data.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

it('pages forward by its cursor, and shows the newest on request', async () => {
  await append(1, 2, 3, 4, 5);
  const first = await list({ limit: 2 });
  expect(first.data.map(({ seq }) => seq)).toEqual([1, 2]);
  expect((await list({ after: first.nextCursor, limit: 10 })).data.map(({ seq }) => seq)).toEqual([3, 4, 5]);
  expect((await list({ after: first.nextCursor, limit: 10 })).nextCursor).toBeUndefined();
  const newest = await list({ limit: 2, newest: true });
  expect(newest.data.map(({ seq }) => seq)).toEqual([4, 5]);
  const before = await list({ limit: 10, before: newest.nextCursor });
  expect([before.data.map(({ seq }) => seq), before.nextCursor]).toEqual([[1, 2, 3], undefined]);
});

it('what arrives after the session has ended is kept and marked', async () => {
  await append(1);
  await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
  await append(2);
  expect((await list()).data.map(({ seq, late }) => [seq, late])).toEqual([
    [1, false],
    [2, true],
  ]);
});

it('a watcher gets what is stored, then what comes, deltas before the text they belong to', async () => {
  await append(1);
  const watching = new AbortController();
  const { batches } = await world.relay.openActivity({ id: 'Worker', after: 0 }, { principal: owner, signal: watching.signal });
  const seen: LiveActivityEntry[] = [];
  const reading = (async () => {
    for await (const batch of batches) seen.push(...('entries' in batch ? batch.entries : []));
  })();
  await expect.poll(() => seen.length).toBe(1);
  const delta: AgentEvent = { type: 'text.delta', turnId: 't', itemId: 'i', text: 'li' };
  const asNode = { type: 'node', workspace, nodeId: 'local' } as const;
  world.relay.nodeLive({ sessionId: session.sessionId, at: 2, events: [delta] }, as(asNode));
  await append(2);
  await expect.poll(() => seen.length).toBe(3);
  expect(seen.map(({ id, event }) => [id > 0, event.type])).toEqual([
    [true, 'output.line'],
    [false, 'text.delta'],
    [true, 'output.line'],
  ]);
  watching.abort();
  await reading;
});

it('deltas of a session on another node are ignored', async () => {
  const watching = new AbortController();
  const { batches } = await world.relay.openActivity({ id: 'Worker' }, { principal: owner, signal: watching.signal });
  const seen: LiveActivityEntry[] = [];
  const reading = (async () => {
    for await (const batch of batches) seen.push(...('entries' in batch ? batch.entries : []));
  })();
  const delta: AgentEvent = { type: 'text.delta', turnId: 't', itemId: 'i', text: 'x' };
  world.relay.nodeLive({ sessionId: session.sessionId, at: 2, events: [delta] }, as({ type: 'node', workspace, nodeId: 'foreign' }));
  await append(1);
  await expect.poll(() => seen.map(({ event }) => event.type)).toEqual(['output.line']);
  watching.abort();
  await reading;
});

it('is not for agents that have nothing to do with it', async () => {
  const stranger = as({ type: 'agent', workspace, agentId: 'Stranger', epoch: 1 });
  await expect(Promise.resolve().then(() => world.relay.handlers['agents/activity']({ id: 'Worker' }, stranger))).rejects.toMatchObject({
    code: 'forbidden',
  });
  await expect(world.relay.openActivity({ id: 'Worker' }, stranger)).rejects.toMatchObject({ code: 'forbidden' });
});

it('is forgotten after its retention without forgetting how far the session had come', async () => {
  await append(1, 2);
  world.clock.at += 31 * 86_400_000;
  await world.relay.reap();
  expect((await list()).data).toEqual([]);
  expect(await append(2, 3)).toEqual({ ackedSeq: 3 });
});

it('a watcher of activity that fills several pages by its text gets all of it, with nothing new to wake it', async () => {
  const long = (seq: number) => ({ seq, at: seq, event: line('x'.repeat(100_000)) });
  for (let seq = 1; seq <= 8; seq += 2) {
    const entries = [long(seq), long(seq + 1)];
    await world.relay.nodeHandlers['activity/append']({ sessionId: session.sessionId, entries }, { ...as(owner), link: node });
  }
  const watching = new AbortController();
  const { batches } = await world.relay.openActivity({ id: 'Worker', after: 0 }, { principal: owner, signal: watching.signal });
  const seen: number[] = [];
  const reading = (async () => {
    for await (const batch of batches) seen.push(...('entries' in batch ? batch.entries.map(({ seq }) => seq) : []));
  })();
  await expect.poll(() => seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  watching.abort();
  await reading;
});

describe('who else follows an agent', () => {
  const token = (name: string, agentId: string | null = null): Principal =>
    ({ type: 'token', workspace, tokenId: name, name, kind: 'scoped', agentId, scopes: ['*'], targets: null, channels: null }) as Principal;

  /** Somebody who follows Worker until `leave`, and whom it was said to be followed by besides. */
  async function follow(principal: Principal) {
    const stop = new AbortController();
    const { batches } = await world.relay.openActivity({ id: 'Worker' }, { principal, signal: stop.signal });
    const heard: ActivityWatchers[] = [];
    let entries = 0;
    const reading = (async () => {
      for await (const batch of batches)
        if ('others' in batch) heard.push(batch.others);
        else entries += batch.entries.length;
    })();
    const names = () => heard.map(({ watchers }) => watchers.map(({ by, streams }) => `${by} ${streams}`));
    const leave = () => {
      stop.abort();
      return reading;
    };
    return { names, entries: () => entries, leave };
  }
  const soon = () => world.clock.pass(watchingLimits.tellMs);

  it('is told to people and programs when it is others than before, in one word for all who came meanwhile', async () => {
    const first = await follow(owner);
    soon();
    const again = await follow(owner);
    const ci = await follow(token('ci'));
    soon();
    await expect.poll(first.names).toEqual([['owner 1', 'token:ci 1']]);
    await expect.poll(again.names).toEqual([['owner 1', 'token:ci 1']]);
    await expect.poll(ci.names).toEqual([['owner 2']]);
    // Somebody who comes and goes at once is nobody.
    await (await follow(token('brief'))).leave();
    soon();
    await again.leave();
    soon();
    await expect.poll(first.names).toEqual([['owner 1', 'token:ci 1'], ['token:ci 1']]);
    await expect.poll(ci.names).toEqual([['owner 2'], ['owner 1']]);
    await ci.leave();
    soon();
    await expect.poll(first.names).toEqual([['owner 1', 'token:ci 1'], ['token:ci 1'], []]);
    await first.leave();
  });

  it('is not told to agents and machines, which are named as everybody is', async () => {
    const agent = await follow({ type: 'agent', workspace, agentId: 'Worker', epoch: session.epoch });
    const machine = await follow({ type: 'node', workspace, nodeId: session.nodeId });
    const person = await follow(owner);
    soon();
    await expect.poll(person.names).toEqual([['agent:Worker 1', `node:${session.nodeId} 1`]]);
    await append(1);
    await expect.poll(() => [agent.entries(), machine.entries(), person.entries()]).toEqual([1, 1, 1]);
    expect([agent.names(), machine.names()]).toEqual([[], []]);
    for (const each of [agent, machine, person]) await each.leave();
  });
});
