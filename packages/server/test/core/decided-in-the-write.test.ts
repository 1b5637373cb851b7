import type { Principal } from 'agent-relay-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isWoken, withWake } from '../../src/domain/wake.ts';
import { as, FarNode, owner, SessionWorld, workspace } from '../session-world.ts';
import { anonymous, codeOf, until, World } from './world.ts';

// What was so when somebody asked is no more when it is decided: the other write came first.

test('mail is read by the session that there is, not by the one that asked', async () => {
  await using world = await World.open();
  await world.register('a', { instanceId: 'one' });
  const { id } = await world.send('cron', 'a');
  const replaced = world.register('a', { instanceId: 'two' });
  const read = Promise.resolve(world.call['messages/read']({ id, agentId: 'a', read: true, instanceId: 'one' }, world.as(anonymous)));
  expect(await codeOf(read)).toBe('stale_session');
  await replaced;
  expect(await world.receipt(id, 'a')).toBe('queued');
});

describe('a start that waits for a machine', () => {
  let world: SessionWorld;
  let node: FarNode;
  let machineHasLooked: () => void;

  /** The machine lacks the program, and looks for it until the test says that it has it. */
  beforeEach(async () => {
    world = await SessionWorld.open();
    node = new FarNode();
    await world.attach(node);
    node.onDetect = () =>
      new Promise((resolve) => {
        machineHasLooked = () => resolve({ id: 'codex', available: true, version: '1', reason: null });
      });
  });
  afterEach(() => world.close());

  const starts = () => node.commands.filter(({ name }) => name === 'session/start');
  const asking = async (principal: Principal, over: object = {}): Promise<Promise<string>[]> => {
    const answer = codeOf(world.start('Worker', principal, { provider: 'codex', ...over }));
    await until(() => node.commands.some(({ name }) => name === 'provider/detect'));
    return [answer];
  };
  const holderOf = async (token: string | undefined): Promise<Principal> => {
    const principal = await world.relay.authenticate(token ?? '');
    if (principal === null) throw new Error('It is worth nothing');
    return principal;
  };
  const program = () => world.relay.handlers['tokens/create']({ name: 'ci', scopes: ['sessions:write'] }, as(owner));
  const register = (more: object = {}) =>
    Promise.resolve(world.relay.handlers['agents/register']({ id: 'Lead', name: 'Lead', ...more }, as(owner)));
  const narrow = (approval: 'read-only') => Promise.resolve(world.relay.handlers['agents/approval']({ id: 'Lead', approval }, as(owner)));

  test('starts what nobody forbids meanwhile', async () => {
    await register();
    const { token } = await program();
    const [answer] = await asking(await holderOf(token), { spawnedBy: 'Lead' });
    machineHasLooked();
    expect([await answer, starts().length]).toEqual(['none', 1]);
  });

  test('starts nobody for a token that is revoked meanwhile', async () => {
    const { token, tokenId } = await program();
    const [answer] = await asking(await holderOf(token));
    await world.relay.handlers['tokens/revoke']({ id: tokenId }, as(owner));
    machineHasLooked();
    expect([await answer, starts()]).toEqual(['unauthorized', []]);
    expect(world.store.agents.index.in(workspace).find('Worker')?.agent ?? null).toBeNull();
  });

  test('starts nobody for a token that runs out meanwhile', async () => {
    const { token } = await world.relay.handlers['tokens/create'](
      { name: 'ci', scopes: ['sessions:write'], expiresInMs: 60_000 },
      as(owner),
    );
    const [answer] = await asking(await holderOf(token));
    world.clock.at += 60_000;
    machineHasLooked();
    expect([await answer, starts()]).toEqual(['unauthorized', []]);
  });

  test('starts nobody in the name of an agent that somebody else speaks for by then', async () => {
    await register();
    const { token } = await program();
    const [answer] = await asking(await holderOf(token), { spawnedBy: 'Lead' });
    await register({ instanceId: 'another', withToken: true });
    machineHasLooked();
    expect([await answer, starts()]).toEqual(['forbidden', []]);
  });

  test('passes on no more than its spawner may by then', async () => {
    const { token } = await register({ withToken: true });
    const lead = await holderOf(token);
    const [asked] = await asking(lead, { approval: 'open' });
    await narrow('read-only');
    machineHasLooked();
    expect([await asked, starts()]).toEqual(['forbidden', []]);
  });

  test('is to be asked for again where its spawner passes on something else by then', async () => {
    const { token } = await register({ withToken: true });
    const lead = await holderOf(token);
    const [asked] = await asking(lead);
    await narrow('read-only');
    machineHasLooked();
    expect([await asked, starts()]).toEqual(['busy', []]);
  });

  test('leaves to an agent that mail starts what a person said of it meanwhile', async () => {
    const [first] = await asking(owner, { approval: 'open', wake: 'fresh' });
    machineHasLooked();
    expect(await first).toBe('none');
    await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
    await world.attach(node);
    node.commands.length = 0;
    // What a machine has just looked for it is not asked for again.
    world.clock.at += 2_000;
    await world.relay.handlers['messages/send']({ to: 'id:Worker', body: 'hello' }, as(owner));
    const reaped = world.relay.reap();
    await until(() => node.commands.some(({ name }) => name === 'provider/detect'));
    await world.relay.handlers['agents/approval']({ id: 'Worker', approval: 'guarded' }, as(owner));
    await until(() => {
      machineHasLooked();
      return starts().length > 0;
    });
    await reaped;
    expect(starts()).toMatchObject([{ params: { approval: 'guarded' } }]);
  });
});

test('mail goes on to wake an agent whose starter has lost it just before', async () => {
  const world = await SessionWorld.open();
  try {
    await world.attach(new FarNode());
    await world.start('Lead');
    const lead: Principal = { type: 'agent', workspace, agentId: 'Lead', epoch: 1 };
    await world.start('Worker', lead);
    const said = { agentId: 'Worker', wake: 'resume', idleMs: 1, provider: 'claude', nodeId: 'local', cwd: null } as const;
    const terms = { mode: 'agentic', ask: false, model: null, sandbox: null } as const;
    await world.store.records.begin(workspace, (facts) => ({
      answer: null,
      change: withWake(facts, { at: world.clock.at }, { ...said, ...terms }),
    }));
    const card = world.agent('Worker');
    const taken = world.store.agents.change(workspace, 'Worker', () => ({
      answer: null,
      change: { at: world.clock.at, agents: [{ id: 'Worker', agent: card, spawnedBy: null }] },
    }));
    const released = Promise.resolve(world.relay.handlers['agents/release']({ id: 'Worker', wake: 'never' }, as(lead)));
    expect(await codeOf(released)).toBe('forbidden');
    await taken;
    expect(await world.store.records.begin(workspace, (facts) => ({ answer: isWoken(facts, 'Worker'), change: null }))).toBe(true);
  } finally {
    await world.close();
  }
});
