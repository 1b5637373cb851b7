import { PROTOCOL_VERSION, type Principal, RELAY_VERSION, RelayError, type Session } from 'agent-relay-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultSettings } from '../src/relay/contract/relay-settings.ts';
import { as, FarNode, offered, owner, SessionWorld, workspace } from './session-world.ts';

let world: SessionWorld;
let node: FarNode;
beforeEach(async () => {
  world = await SessionWorld.open();
  node = new FarNode();
});
afterEach(() => world.close());

const agentToken = (agentId: string, epoch = 1) => ({ type: 'agent', workspace, agentId, epoch }) as const;
const heartbeat = (sessions: { sessionId: string; status: 'idle' | 'busy' }[], link = node) =>
  world.relay.nodeHandlers['nodes/heartbeat']({ sessions }, { ...as(owner), link });
const startedWith = (link = node) => link.commands.find(({ name }) => name === 'session/start')?.params;

it('how busy a machine is is what its last heartbeat said, and no event tells of that alone', async () => {
  await world.attach(node);
  const before = await world.eventTypes();
  const load = { cores: 8, perMinute: 1.5, freeMemoryBytes: 3, totalMemoryBytes: 16 };
  await world.relay.nodeHandlers['nodes/heartbeat']({ sessions: [], load }, { ...as(owner), link: node });
  const listed = async () => (await world.relay.handlers['nodes/list']({}, as(owner))).data;
  expect(await listed()).toMatchObject([{ nodeId: 'local', load }]);
  // An earlier machine says nothing of it.
  await heartbeat([]);
  expect(await listed()).toMatchObject([{ load }]);
  expect(await world.eventTypes()).toEqual(before);
});

describe('starting an agent', () => {
  it('keeps the names of the kinds that machines offer for the owner to give, also after a restart', async () => {
    await world.attach(node);
    world = await world.restart();
    const register = (id: string) => world.relay.handlers['agents/register']({ id, name: id }, as({ type: 'anonymous', workspace }));
    for (const id of ['claude', 'codex', 'сodex']) await expect(async () => register(id)).rejects.toMatchObject({ code: 'forbidden' });
    await world.attach(node);
    expect(await world.start('claude')).toMatchObject({ agentId: 'claude', status: 'running' });
    expect(await world.relay.handlers['agents/register']({ id: 'claude', name: 'claude' }, as(agentToken('claude')))).toMatchObject({
      epoch: 1,
    });
  });

  it('under a name that a token was made for while a machine was waited for is refused', async () => {
    const starter: Principal = {
      ...{ type: 'token', workspace, tokenId: 't', name: 'ci', kind: 'scoped', agentId: null },
      ...{ scopes: ['sessions:write'], targets: null, channels: null },
    };
    // The relay has just started: whoever asks waits for the first machine.
    const starting = world.start('Held', starter);
    await world.relay.handlers['tokens/create']({ name: "Held's own", kind: 'agent', agentId: 'Held' }, as(owner));
    await world.attach(node);
    await expect(starting).rejects.toMatchObject({ code: 'name_taken' });
    expect(node.commands).toEqual([]);
    expect(await world.start('Held')).toMatchObject({ agentId: 'Held', status: 'running' });
  });

  it('registers its address, gives it a token of its epoch and answers when the machine has it running', async () => {
    await world.attach(node);
    const session = await world.start('Worker', owner, { cwd: '/work', task: 'Do it', tags: ['backend'], model: 'big' });
    expect(session).toMatchObject({
      agentId: 'Worker',
      nodeId: 'local',
      status: 'running',
      cwd: '/work',
      epoch: 1,
      mode: 'agentic',
      model: 'm',
    });
    expect(world.agent('Worker')).toMatchObject({
      status: 'online',
      ready: true,
      tags: ['backend'],
      machine: 'laptop',
      protected: true,
      epoch: 1,
    });
    expect(startedWith()).toMatchObject({ task: 'Do it', cwd: '/work', within: null, mode: 'agentic', approval: 'open', model: 'big' });
    const { token } = startedWith() as { token: string };
    expect(await world.relay.authenticate(token)).toEqual(agentToken('Worker'));
    const types = await world.eventTypes();
    expect(types.slice(2)).toEqual([
      'node.connected',
      'agent.registered',
      'session.started',
      'controllers.updated',
      'session.updated',
      'agent.updated',
    ]);
  });

  it('a name that runs already is refused, also when two ask at once', async () => {
    await world.attach(node);
    const outcomes = await Promise.allSettled([world.start('Worker'), world.start('Worker')]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(world.start('Worker')).rejects.toMatchObject({ code: 'name_taken' });
    await expect(world.start('owner')).rejects.toMatchObject({ code: 'name_taken' });
  });

  it('a name whose agent was removed is free once what ran of it has ended, and is said to wait for that', async () => {
    await world.attach(node);
    const { sessionId } = await world.start('Worker');
    let ended = () => {};
    node.onClose = () => new Promise((resolve) => (ended = () => resolve({})));
    const removing = world.relay.handlers['agents/remove']({ id: 'Worker' }, as(owner));
    const closed = { name: 'session/close', params: { sessionId, reason: 'Worker was removed' } };
    await expect.poll(() => node.commands.at(-1)).toEqual(closed);
    await expect(world.start('Worker')).rejects.toMatchObject({
      code: 'name_taken',
      message: expect.stringMatching(/^Worker was removed, .* has not ended yet: try again/u),
    });
    ended();
    expect(await removing).toEqual({ removed: true, failedMessages: 0 });
    const again = await world.start('Worker');
    expect(again).toMatchObject({ agentId: 'Worker', epoch: 2, status: 'running' });
    const { data } = await world.relay.handlers['sessions/list']({}, as(owner));
    expect(data.map(({ status, reason }) => [status, reason])).toEqual([
      ['running', null],
      ['ended', 'Worker was removed'],
    ]);
  });

  it('the name of a removed agent whose machine is away or does not answer is free at once, and the machine is told when it is back', async () => {
    await world.attach(node);
    const silent = await world.start('Silent');
    node.onClose = async () => {
      throw new RelayError('timeout', 'the machine is silent');
    };
    await world.relay.handlers['agents/remove']({ id: 'Silent' }, as(owner));
    const away = await world.start('Away');
    world.relay.nodeDetached(node);
    await world.relay.handlers['agents/remove']({ id: 'Away' }, as(owner));
    const back = await world.attach(new FarNode(), [offered(silent), offered(away)]);
    expect(back.sessions.map(({ keep }) => keep)).toEqual([false, false]);
    for (const id of ['Silent', 'Away']) expect(await world.start(id)).toMatchObject({ agentId: id, status: 'running' });
  });

  it('when the machine cannot, the failure is in its words and the address is free again', async () => {
    await world.attach(node);
    node.onStart = async () => {
      throw new RelayError('provider_unavailable', 'Log in to Claude first.');
    };
    const start = world.start('Worker', owner, { cwd: '/srv/app' });
    await expect(start).rejects.toMatchObject({ code: 'provider_unavailable', message: 'Log in to Claude first.' });
    const { data } = await world.relay.handlers['sessions/list']({}, as(owner));
    expect(data).toMatchObject([{ status: 'failed', reason: 'Log in to Claude first.', cwd: '/srv/app' }]);
    expect(world.agent('Worker')).toMatchObject({ status: 'offline', sessionId: null });
    node.onStart = async () => ({ cwd: '/w', vendorSessionId: null, model: null });
    expect((await world.start('Worker')).epoch).toBeGreaterThan(1);
  });

  it('an agent that could never be started is there for ten minutes, for whoever asks why or tries again, and then goes', async () => {
    await world.attach(node);
    node.onStart = async () => {
      throw new RelayError('provider_unavailable', 'Log in to Claude first.');
    };
    const isThere = () => world.store.agents.index.in(workspace).find('Worker')?.agent != null;
    const after = async (ms: number) => {
      world.clock.at += ms;
      await world.relay.reap();
      return isThere();
    };
    const refused = () => expect(world.start('Worker')).rejects.toMatchObject({ code: 'provider_unavailable' });
    await refused();
    expect(await after(599_999)).toBe(true);
    await refused();
    expect(await after(599_999)).toBe(true);
    expect(await after(1)).toBe(false);
    await refused();
    const { onStart } = new FarNode();
    node.onStart = onStart;
    await world.start('Worker');
    await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
    expect(await after(600_000)).toBe(true);
  });

  it('one that ran before, that somebody has written to or that mail is to start stays where it cannot be started', async () => {
    await world.attach(node);
    await world.start('Before');
    await world.relay.handlers['agents/release']({ id: 'Before' }, as(owner));
    await world.relay.handlers['messages/send']({ to: 'id:Expected', body: 'when you are there' }, as(owner));
    node.onStart = async ({ session }) => {
      if (session.agentId === 'Asked') await world.relay.handlers['messages/send']({ to: 'Asked', body: 'hello', mode: 'fyi' }, as(owner));
      throw new RelayError('provider_unavailable', 'Log in to Claude first.');
    };
    const ids = ['Before', 'Expected', 'Asked', 'Resting'];
    for (const id of ids) await expect(world.start(id, owner, id === 'Resting' ? { wake: 'fresh' } : {})).rejects.toThrow('Log in');
    world.clock.at += 600_000;
    await world.relay.reap();
    expect(ids.map((id) => world.agent(id).status)).toEqual(ids.map(() => 'offline'));
  });

  it('one that has been there since, whose card a person has changed or whose token a person has made stays', async () => {
    await world.attach(node);
    node.onStart = async () => {
      throw new RelayError('provider_unavailable', 'Log in to Claude first.');
    };
    const { handlers } = world.relay;
    const live = async (id: string) => {
      world.clock.at += 1;
      await handlers['agents/register']({ id, name: id }, as(owner));
      world.clock.at += defaultSettings.staleTtlMs + 1;
      await world.relay.reap();
      expect(world.agent(id).status).toBe('offline');
    };
    const refuse = (id: string) => expect(world.start(id)).rejects.toThrow('Log in');
    await handlers['tokens/create']({ name: 'before', kind: 'agent', agentId: 'Bound-before' }, as(owner));
    const ids = ['Lived', 'Lived-and-refused', 'Labelled', 'Bound-before', 'Bound-since'];
    for (const id of ids) await refuse(id);
    await live('Lived');
    await live('Lived-and-refused');
    await refuse('Lived-and-refused');
    await handlers['agents/label']({ id: 'Labelled', label: 'the second one' }, as(owner));
    await handlers['tokens/create']({ name: 'since', kind: 'agent', agentId: 'Bound-since' }, as(owner));
    world.clock.at += 600_000;
    await world.relay.reap();
    expect(ids.map((id) => world.agent(id).status)).toEqual(ids.map(() => 'offline'));
  });

  it('one that was ended while it was being started goes as well', async () => {
    await world.attach(node);
    node.onStart = async ({ session, cwd }) => {
      await world.relay.handlers['agents/release']({ id: session.agentId }, as(owner));
      return { cwd: cwd ?? '/fresh', vendorSessionId: 'v', model: 'm' };
    };
    await expect(world.start('Worker')).rejects.toMatchObject({ code: 'gone' });
    world.clock.at += 600_000;
    await world.relay.reap();
    expect(world.store.agents.index.in(workspace).find('Worker')?.agent ?? null).toBeNull();
  });

  it('a machine that is lost meanwhile is node_unavailable', async () => {
    await world.attach(node);
    node.onStart = async () => {
      throw new RelayError('connection_closed', 'gone');
    };
    await expect(world.start('Worker')).rejects.toMatchObject({ code: 'node_unavailable' });
  });

  it('a provider that is not installed is refused before anything is registered', async () => {
    await world.attach(node);
    await expect(world.start('Worker', owner, { provider: 'codex' })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringContaining('npm install'),
    });
    expect(world.store.agents.index.in(workspace).find('Worker')?.agent ?? null).toBeNull();
  });

  it('a provider that has been installed since its machine attached is found by the start that asks for it, and told', async () => {
    await world.attach(node);
    const missing = async () =>
      (await world.relay.handlers['nodes/list']({}, as(owner))).data[0]?.providers.filter((each) => !each.available);
    expect(await missing()).toMatchObject([{ id: 'codex' }]);
    node.onDetect = async ({ id }) => ({ id, available: true, version: '0.144.6', reason: null });
    expect(await world.start('Worker', owner, { provider: 'codex' })).toMatchObject({ status: 'running', provider: 'codex' });
    expect(await missing()).toEqual([]);
    expect(await world.eventTypes()).toContain('node.updated');
  });

  it('a machine looks again at each round for what it lacks, and what has not changed is not told', async () => {
    await world.attach(node);
    const asked = () => node.commands.filter(({ name }) => name === 'provider/detect').map(({ params }) => params);
    node.onDetect = async ({ id }) => ({
      id,
      available: false,
      version: null,
      reason: 'Codex is not installed: run npm install -g @openai/codex.',
    });
    await world.relay.reap();
    await expect.poll(asked).toEqual([{ id: 'codex' }]);
    expect(await world.eventTypes()).not.toContain('node.updated');
    node.onDetect = async ({ id }) => ({ id, available: false, version: null, reason: 'Codex does not run' });
    world.clock.at += 5_000;
    await world.relay.reap();
    await expect.poll(() => world.eventTypes()).toContain('node.updated');
  });

  it('however many starts ask for a program that is missing, its machine looks for it once, and again only after a while', async () => {
    await world.attach(node);
    node.onDetect = async ({ id }) => ({ id, available: false, version: null, reason: 'Codex is not installed' });
    const looks = () => node.commands.filter(({ name }) => name === 'provider/detect').length;
    const start = () => world.start('Worker', owner, { provider: 'codex' }).catch(({ code }) => code);
    const ask = async (times: number) => new Set(await Promise.all(Array.from({ length: times }, start)));
    expect(await ask(20)).toEqual(new Set(['provider_unavailable']));
    expect(looks()).toBe(1);
    await ask(20);
    world.clock.at += 999;
    await ask(1);
    expect(looks()).toBe(1);
    world.clock.at += 1;
    await ask(20);
    expect(looks()).toBe(2);
  });

  it('whoever asks with a credential has the machines look at all their programs, and reads what they saw', async () => {
    await world.attach(node);
    node.onDetect = async ({ id }) => ({ id, available: true, version: '9', reason: null });
    const list = (principal: typeof owner, look: boolean) => Promise.resolve(world.relay.handlers['nodes/list']({ look }, as(principal)));
    const versions = async (look: boolean) => (await list(owner, look)).data[0]?.providers.map(({ version }) => version);
    expect(await versions(false)).toEqual(['1', null]);
    expect(await versions(true)).toEqual(['9', '9']);
    expect(await versions(false)).toEqual(['9', '9']);
    await expect(list({ type: 'anonymous', workspace }, true)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('under one key an agent is started once: a second call waits for the first, and is answered so later and after a restart', async () => {
    await world.attach(node);
    const key = { idempotencyKey: 'first try', meta: { team: 'blue' } };
    const both = await Promise.all([world.start('Worker', owner, key), world.start('Worker', owner, key)]);
    expect(both[1]).toEqual(both[0]);
    expect(both[0]).toMatchObject({ status: 'running' });
    expect(world.agent('Worker').meta).toEqual({ team: 'blue' });
    await expect(world.start('Worker', owner, { ...key, task: 'more' })).rejects.toMatchObject({ code: 'idempotency_mismatch' });
    await expect(world.start('Worker', owner, { idempotencyKey: 'another' })).rejects.toMatchObject({ code: 'name_taken' });
    world = await world.restart();
    // No machine is there: what was done needs none.
    world.clock.at += 20_000;
    expect(await world.start('Worker', owner, key)).toMatchObject({ sessionId: both[0].sessionId });
    expect(node.commands.filter(({ name }) => name === 'session/start')).toHaveLength(1);
  });

  it('a start that failed may be tried again under its key', async () => {
    await world.attach(node);
    const { onStart } = node;
    node.onStart = async () => {
      throw new RelayError('provider_unavailable', 'Log in to Claude first.');
    };
    const key = { idempotencyKey: 'k' };
    await expect(world.start('Worker', owner, key)).rejects.toMatchObject({ code: 'provider_unavailable' });
    node.onStart = onStart;
    const second = await world.start('Worker', owner, key);
    expect(second).toMatchObject({ status: 'running', epoch: 2 });
    expect(await world.start('Worker', owner, key)).toMatchObject({ sessionId: second.sessionId });
  });

  it('a start that ended with its relay, before it ran, may be tried again under its key', async () => {
    await world.attach(node);
    const { onStart } = node;
    node.onStart = () => new Promise(() => {});
    const key = { idempotencyKey: 'k' };
    world.start('Worker', owner, key).catch(() => undefined);
    await expect.poll(() => startedWith()).toBeDefined();
    world = await world.restart();
    node.onStart = onStart;
    const left = await world.start('Worker', owner, key);
    expect(left.status).toBe('starting');
    await world.attach(node);
    const second = await world.start('Worker', owner, key);
    expect(second).toMatchObject({ status: 'running', epoch: 2 });
    // One that ran is not started again, whatever became of it.
    await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
    expect(await world.start('Worker', owner, key)).toMatchObject({ sessionId: second.sessionId, status: 'ended' });
  });

  it('a key is its token’s, and not that of another one with the same name', async () => {
    await world.attach(node);
    const program = async () => {
      const { token } = await world.relay.handlers['tokens/create']({ name: 'ci', scopes: ['*'] }, as(owner));
      const principal = await world.relay.authenticate(token);
      if (principal === null) throw new Error('The token is not known');
      return principal;
    };
    const [one, other] = [await program(), await program()];
    const key = { idempotencyKey: 'k' };
    const first = await world.start('Worker', one, key);
    expect(await world.start('Worker', one, key)).toMatchObject({ sessionId: first.sessionId });
    await expect(world.start('Worker', other, key)).rejects.toMatchObject({ code: 'name_taken' });
  });

  it('agents start others so deep and so many at once, and no further', async () => {
    await world.attach(node);
    const { depth, children } = defaultSettings.spawn;
    let above = 'A0';
    await world.start(above);
    for (let level = 1; level <= depth; level += 1) {
      await world.start(`A${level}`, agentToken(above));
      above = `A${level}`;
    }
    await expect(world.start('Deeper', agentToken(above))).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('at most 5 deep'),
    });
    // Whoever of them is removed, the last stands as deep as it did.
    await world.relay.handlers['agents/release']({ id: 'A2' }, as(owner));
    await world.relay.handlers['agents/remove']({ id: 'A2' }, as(owner));
    await expect(world.start('Deeper', agentToken(above))).rejects.toMatchObject({ code: 'forbidden' });
    for (let count = 1; count < children; count += 1) await world.start(`B${count}`, agentToken('A0'));
    await expect(world.start('OneMore', agentToken('A0'))).rejects.toMatchObject({ code: 'busy' });
    await world.relay.handlers['agents/release']({ id: 'B1' }, as(owner));
    expect(await world.start('OneMore', agentToken('A0'))).toMatchObject({ status: 'running' });
  });

  it('an agent starts another on a second machine where both owners say so, and its own folder does not go with it', async () => {
    const far = new FarNode();
    const offer = { providers: [{ id: 'claude', available: true, version: '1', reason: null }] };
    await world.attach(node);
    await world.attach(far, [], { type: 'node', workspace, nodeId: 'far' }, 'far');
    await world.start('Lead', owner, { node: 'local', cwd: '/home/lead' });
    const elsewhere = () => world.start('Worker', agentToken('Lead'), { node: 'far', cwd: '/srv/app' });
    await expect(elsewhere()).rejects.toMatchObject({ code: 'forbidden', message: expect.stringContaining('The owner of laptop') });
    const told = (terms: object, link: FarNode, principal: Principal) =>
      world.relay.nodeHandlers['nodes/heartbeat']({ sessions: [], offer: { ...offer, terms } }, { ...as(principal), link });
    await told({ elsewhere: true }, node, owner);
    await expect(elsewhere()).rejects.toMatchObject({ code: 'forbidden', message: expect.stringContaining('The owner of far') });
    await told({ labels: ['gpu'], spawners: ['other-agents'] }, far, { type: 'node', workspace, nodeId: 'far' });
    expect((await world.relay.handlers['nodes/list']({}, as(owner))).data[0]).toMatchObject({ nodeId: 'far', terms: { labels: ['gpu'] } });
    expect(await elsewhere()).toMatchObject({ nodeId: 'far', spawnedBy: 'Lead' });
    expect(far.commands[0]?.params).toMatchObject({ cwd: '/srv/app', within: null });
    expect(await world.start('Second', agentToken('Lead'))).toMatchObject({ nodeId: 'local' });
    expect(await world.start('Third', agentToken('Lead'), { nodeLabels: ['gpu'] })).toMatchObject({ nodeId: 'far' });
  });

  it('a sandbox that was asked for is never left out in silence, and what it runs in stands on the session', async () => {
    await world.attach(node);
    await expect(world.start('Old', owner, { sandbox: 'os' })).rejects.toMatchObject({ code: 'unsupported' });
    expect(node.commands.at(-1)).toMatchObject({ name: 'session/close' });
    const started = { cwd: '/fresh', vendorSessionId: null, model: null };
    node.onStart = async () => ({ ...started, sandbox: 'bwrap' });
    expect(await world.start('Kept', owner, { sandbox: 'os' })).toMatchObject({ sandbox: 'bwrap', sandboxReason: null });
    expect(startedWith()).toMatchObject({ sandbox: 'os' });
    node.onStart = async () => ({ ...started, sandbox: 'none', sandboxReason: 'bwrap is not there' });
    expect(await world.start('Free', owner, { sandbox: 'auto' })).toMatchObject({ sandbox: 'none', sandboxReason: 'bwrap is not there' });
  });

  it('goes on with the last conversation of that provider, on its machine and in its folder', async () => {
    await world.attach(node);
    node.onStart = async ({ cwd, resume }) => ({
      cwd: cwd ?? '/fresh',
      vendorSessionId: resume ?? 'first',
      model: null,
      resumed: resume !== undefined,
    });
    await expect(world.start('Worker', owner, { resume: true })).rejects.toMatchObject({ code: 'not_found' });
    const first = await world.start('Worker', owner, { cwd: '/work' });
    expect(first.vendorSessionId).toBe('first');
    const event = { type: 'session.started' as const, vendorSessionId: 'after-clear', cwd: '/work' };
    await world.relay.nodeHandlers['activity/append'](
      { sessionId: first.sessionId, entries: [{ seq: 1, at: 1, event }] },
      { ...as(owner), link: node },
    );
    await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
    const second = await world.start('Worker', owner, { resume: true });
    expect(second).toMatchObject({ epoch: 2, cwd: '/work', vendorSessionId: 'after-clear', nodeId: first.nodeId });
    expect(node.commands.filter(({ name }) => name === 'session/start').at(-1)?.params).toMatchObject({
      resume: 'after-clear',
      cwd: '/work',
    });
    await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
    const elsewhere = world.start('Worker', owner, { resume: true, node: 'other' });
    await expect(elsewhere).rejects.toMatchObject({ code: 'node_unavailable' });
  });

  it('a machine that is too old to go on with a conversation is not believed to have done it', async () => {
    await world.attach(node);
    await world.start('Worker');
    await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
    await expect(world.start('Worker', owner, { resume: true })).rejects.toMatchObject({ code: 'unsupported' });
    expect(node.commands.at(-1)).toMatchObject({ name: 'session/close' });
    expect(world.agent('Worker').status).toBe('offline');
  });

  it('an agent goes on with conversations that it began itself, and with no one else’s', async () => {
    await world.attach(node);
    node.onStart = async ({ resume, session: { agentId } }) => ({
      ...{ cwd: '/work', vendorSessionId: resume ?? `of ${agentId}`, model: null, resumed: resume !== undefined },
    });
    await world.start('Lead');
    await world.start('Private');
    await world.relay.handlers['agents/release']({ id: 'Private' }, as(owner));
    await expect(world.start('Private', agentToken('Lead'), { resume: true })).rejects.toMatchObject({ code: 'not_found' });
    await world.start('Own', agentToken('Lead'));
    await world.relay.handlers['agents/release']({ id: 'Own' }, as(agentToken('Lead')));
    expect(await world.start('Own', agentToken('Lead'), { resume: true })).toMatchObject({ epoch: 2, spawnedBy: 'Lead' });
  });

  it('which running program serves a kind of agent is told, and looked at in each round', async () => {
    await world.attach(node);
    const codex = async () => (await world.relay.handlers['nodes/list']({}, as(owner))).data[0]?.providers.find(({ id }) => id === 'codex');
    for (const runtime of ['the daemon, which runs', 'one of its own: no daemon runs']) {
      const found = { id: 'codex', available: true, version: '0.169.0', reason: null, runtime };
      node.onDetect = async () => found;
      world.clock.at += 1_000;
      await world.relay.reap();
      await expect.poll(codex).toEqual(found);
    }
  });

  it('an agent starts others in its own name, inside its folder, with no more than its mode', async () => {
    await world.attach(node);
    await world.start('Lead', owner, { cwd: '/work', mode: 'safe' });
    const session = await world.start('Worker', agentToken('Lead'));
    expect(session).toMatchObject({ spawnedBy: 'Lead', mode: 'safe' });
    expect(node.commands.at(-1)?.params).toMatchObject({ cwd: null, within: '/work' });
    await expect(world.start('W2', agentToken('Lead'), { mode: 'unrestricted' })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(world.start('W2', agentToken('Lead'), { spawnedBy: 'Other' })).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('an agent widens its approval neither by saying so itself nor in what it starts', async () => {
    await world.attach(node);
    const { instanceId } = await world.start('Lead', owner, { approval: 'guarded' });
    const register = (more: object) =>
      Promise.resolve(world.relay.handlers['agents/register']({ id: 'Lead', name: 'Lead', ...more }, as(agentToken('Lead'))));
    expect(await register({ instanceId, approval: 'open' })).toMatchObject({ approval: 'guarded' });
    expect(await world.start('Worker', agentToken('Lead'))).toMatchObject({ spawnedBy: 'Lead' });
    expect(world.agent('Worker').approval).toBe('guarded');
    await expect(world.start('W2', agentToken('Lead'), { approval: 'open' })).rejects.toMatchObject({ code: 'forbidden' });
    expect(await register({ instanceId: 'another', approval: 'open' })).toMatchObject({ approval: 'guarded', epoch: 2 });
  });

  it('what runs on a machine keeps the approval it was started with, and its card does not say otherwise', async () => {
    await world.attach(node);
    await world.start('Worker', owner, { approval: 'open' });
    const set = (approval: 'open' | 'read-only') =>
      Promise.resolve().then(() => world.relay.handlers['agents/approval']({ id: 'Worker', approval }, as(owner)));
    await expect(set('read-only')).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining('start it anew') });
    expect(await set('open')).toMatchObject({ approval: 'open' });
    await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
    expect(await set('read-only')).toMatchObject({ approval: 'read-only' });
  });

  it('a node starts others for the agents it hosts only', async () => {
    const { nodeId } = await world.attach(node);
    await world.start('Lead');
    const asNode = (id: string) => ({ type: 'node', workspace, nodeId: id }) as const;
    expect(await world.start('Worker', asNode(nodeId), { spawnedBy: 'Lead' })).toMatchObject({ spawnedBy: 'Lead' });
    await expect(world.start('W2', asNode('other'), { spawnedBy: 'Lead' })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(world.start('W2', asNode(nodeId))).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('mail wakes an agent on the terms it was started with, and it is released when it has had nothing to do for long', async () => {
    await world.attach(node);
    node.onStart = async ({ cwd, resume }) => ({ cwd: cwd ?? '/fresh', vendorSessionId: 'v', model: null, resumed: resume !== undefined });
    const starts = () => node.commands.filter(({ name }) => name === 'session/start').map(({ params }) => params);
    const release = (over: object = {}) => Promise.resolve(world.relay.handlers['agents/release']({ id: 'Worker', ...over }, as(owner)));
    const mail = (to: string, mode: 'next' | 'fyi' = 'next') =>
      world.relay.handlers['messages/send']({ to, body: 'hello', mode }, as(owner));
    const terms = { wake: 'resume', idleMs: 60_000, cwd: '/work', mode: 'safe', approval: 'guarded' };
    await expect(world.start('Worker', owner, { idleMs: 60_000 })).rejects.toMatchObject({ code: 'validation_failed' });
    await world.start('Worker', owner, terms);
    await expect(world.start('Helper', agentToken('Worker'), { wake: 'fresh' })).rejects.toMatchObject({ code: 'forbidden' });
    await release();
    await mail('id:Worker', 'fyi');
    await world.relay.reap();
    expect(starts()).toHaveLength(1);

    world = await world.restart();
    await world.attach(node);
    await mail('id:Worker');
    await world.relay.reap();
    expect(starts()).toHaveLength(2);
    expect(starts()[1]).toMatchObject({ resume: 'v', cwd: '/work', mode: 'safe', approval: 'guarded' });
    // Its mail waits: it has something to do.
    world.clock.at += 70_000;
    await world.relay.reap();
    expect(world.agent('Worker').sessionId).not.toBeNull();
    const guard = { instanceId: world.agent('Worker').instanceId ?? '', epoch: 2 };
    const { data } = await world.relay.handlers['inbox/list']({ id: 'Worker' }, as(agentToken('Worker', 2)));
    await world.relay.handlers['inbox/ack'](
      { id: 'Worker', ids: data.map(({ message }) => message.id), ...guard },
      as(agentToken('Worker', 2)),
    );
    await world.relay.reap();
    world.clock.at += 59_000;
    await world.relay.reap();
    expect(world.agent('Worker').sessionId).not.toBeNull();
    world.clock.at += 2_000;
    await world.relay.reap();
    expect(world.agent('Worker').sessionId).toBeNull();

    await mail('id:Worker');
    await world.relay.reap();
    await release({ wake: 'never' });
    await mail('id:Worker');
    await world.relay.reap();
    expect(starts()).toHaveLength(3);
  });

  it('whoever looks at an agent sees that mail wakes it, and ends that also while it is not there', async () => {
    await world.attach(node);
    const { handlers } = world.relay;
    const wakes = async () => {
      const { data } = await handlers['agents/list']({}, as(owner));
      const one = await handlers['agents/get']({ id: 'Worker' }, as(owner));
      return [one.wake, data.find(({ id }) => id === 'Worker')?.wake, data.find(({ id }) => id === 'Plain')?.wake];
    };
    const release = (over: object = {}) => Promise.resolve(handlers['agents/release']({ id: 'Worker', ...over }, as(owner)));
    await world.start('Plain');
    const { sessionId } = await world.start('Worker', owner, { wake: 'fresh' });
    expect(await wakes()).toEqual(['fresh', 'fresh', undefined]);
    await release();
    expect(await wakes()).toEqual(['fresh', 'fresh', undefined]);
    await expect(handlers['agents/release']({ id: 'Worker', wake: 'never' }, as(agentToken('Plain')))).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(await release({ wake: 'never' })).toMatchObject({ sessionId, status: 'ended' });
    expect(await wakes()).toEqual([undefined, undefined, undefined]);
    await expect(release({ wake: 'never' })).rejects.toMatchObject({ code: 'not_found' });
    await handlers['messages/send']({ to: 'id:Worker', body: 'hello' }, as(owner));
    await world.relay.reap();
    expect(node.commands.filter(({ name }) => name === 'session/start')).toHaveLength(2);
  });

  it('mail wakes an agent so often in an hour and no more, one that cannot be started at growing distances, and none that was removed', async () => {
    await world.attach(node);
    const starts = () => node.commands.filter(({ name }) => name === 'session/start').length;
    const release = (id: string) => Promise.resolve(world.relay.handlers['agents/release']({ id }, as(owner)));
    const mail = (id: string) => world.relay.handlers['messages/send']({ to: `id:${id}`, body: 'hello' }, as(owner));
    await world.start('Loop', owner, { wake: 'fresh' });
    await mail('Loop');
    for (let round = 0; round < 20; round += 1) {
      await release('Loop').catch(() => undefined);
      await world.relay.reap();
    }
    expect(starts()).toBe(13);
    world.clock.at += 3_600_000;
    await world.relay.reap();
    expect(starts()).toBe(14);
    node.onStart = async () => {
      throw new RelayError('provider_unavailable', 'Log in first.');
    };
    await release('Loop');
    for (const [afterMs, count] of [
      [0, 15],
      [4_000, 15],
      [1_000, 16],
      [9_000, 16],
      [1_000, 17],
    ] as const) {
      world.clock.at += afterMs;
      await world.relay.reap();
      expect(starts()).toBe(count);
    }
    await world.relay.handlers['agents/remove']({ id: 'Loop' }, as(owner));
    await mail('Loop');
    world.clock.at += 600_000;
    await world.relay.reap();
    expect(starts()).toBe(17);
  });

  it('a machine brings back what ran on it last, with no more than it had, and nothing else', async () => {
    const far: Principal = { type: 'node', workspace, nodeId: 'far' };
    await world.attach(node);
    await world.attach(new FarNode(), [], far, 'far');
    await world.start('Lead', owner, { node: 'local' });
    await world.start('Worker', agentToken('Lead'), { approval: 'guarded' });
    await world.start('Guest', owner, { node: 'far', approval: 'guarded' });
    for (const id of ['Worker', 'Guest']) await world.relay.handlers['agents/release']({ id }, as(owner));
    const again = await world.start('Guest', far, { approval: 'open' });
    expect(again).toMatchObject({ nodeId: 'far', spawnedBy: null, epoch: 2 });
    expect(world.agent('Guest').approval).toBe('guarded');
    for (const name of ['Worker', 'New', 'owner'])
      await expect(world.start(name, far)).rejects.toMatchObject({ code: expect.stringMatching(/forbidden|name_taken/u) });
    await expect(world.start('Guest', far, { node: 'local' })).rejects.toMatchObject({ code: 'forbidden' });
    await world.relay.handlers['agents/release']({ id: 'Guest' }, as(owner));
    await expect(world.start('Worker', far, { resume: true })).rejects.toMatchObject({ code: 'not_found' });
    // Whoever started it still has it.
    const local: Principal = { type: 'node', workspace, nodeId: 'local' };
    expect(await world.start('Worker', local)).toMatchObject({ nodeId: 'local', spawnedBy: 'Lead' });
  });

  it('an agent does not take over an address, and its mail, that it did not start', async () => {
    await world.attach(node);
    await world.start('Lead');
    await world.start('Private');
    await world.relay.handlers['agents/release']({ id: 'Private' }, as(owner));
    await expect(world.start('Private', agentToken('Lead'))).rejects.toMatchObject({ code: 'name_taken' });
    // Nor when it was removed meanwhile; what it started itself is its own to start again.
    await world.relay.handlers['agents/remove']({ id: 'Private' }, as(owner));
    await expect(world.start('Private', agentToken('Lead'))).rejects.toMatchObject({ code: 'name_taken' });
    for (let round = 1; round <= 2; round += 1) {
      expect(await world.start('Helper', agentToken('Lead'))).toMatchObject({ spawnedBy: 'Lead', epoch: round });
      await world.relay.handlers['agents/release']({ id: 'Helper' }, as(owner));
      await world.relay.handlers['agents/remove']({ id: 'Helper' }, as(owner));
    }
    await world.relay.handlers['agents/register']({ id: 'Helper', name: 'Helper' }, as(owner));
    await world.relay.handlers['agents/remove']({ id: 'Helper' }, as(owner));
    await expect(world.start('Helper', agentToken('Lead'))).rejects.toMatchObject({ code: 'name_taken' });
  });
});

describe('ending an agent', () => {
  it('release ends it on its machine, keeps the address, frees its claims and voids its token', async () => {
    await world.attach(node);
    const { sessionId } = await world.start('Worker');
    const { token } = startedWith() as { token: string };
    await world.store.agents.change(workspace, 'Worker', () => ({
      answer: null,
      change: {
        at: 1_000,
        claims: [
          {
            claimId: 'c1',
            kind: 'message',
            subjectId: 5,
            agentId: 'Worker',
            epoch: 1,
            fence: 1,
            claimedAt: 0,
            progress: null,
            status: 'held',
            leaseExpiresAt: Number.MAX_SAFE_INTEGER,
          },
        ],
      },
    }));
    const released = await world.relay.handlers['agents/release']({ id: 'Worker', reason: 'Done' }, as(owner));
    expect(released).toMatchObject({ sessionId, status: 'ended', reason: 'Done', endedAt: 1_000_000 });
    expect(node.commands.at(-1)).toEqual({ name: 'session/close', params: { sessionId, reason: 'Done' } });
    expect(world.agent('Worker')).toMatchObject({ status: 'offline', sessionId: null, nodeId: null });
    expect(await world.relay.authenticate(token)).toBeNull();
    expect(await world.store.claims.get(workspace, 'c1')).toMatchObject({ status: 'released' });
    const types = await world.eventTypes();
    expect(types.slice(-4)).toEqual(['session.ended', 'agent.status', 'claim.released', 'work.available']);
  });

  it('only the owner and who started it may, and it itself may go but not be interrupted by itself', async () => {
    await world.attach(node);
    await world.start('Lead');
    await world.start('Worker', agentToken('Lead'));
    const release = (by: string) =>
      Promise.resolve().then(() => world.relay.handlers['agents/release']({ id: 'Worker' }, as(agentToken(by))));
    const interrupt = (by: string) =>
      Promise.resolve().then(() => world.relay.handlers['agents/interrupt']({ id: 'Worker' }, as(agentToken(by))));
    await expect(interrupt('Lead')).resolves.toEqual({ interrupted: true });
    await expect(interrupt('Worker')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(release('Stranger')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(release('Worker')).resolves.toMatchObject({ status: 'ended' });
    await expect(release('Worker')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('what ends by itself is reported by its machine, and a second word changes nothing', async () => {
    await world.attach(node);
    const { sessionId } = await world.start('Worker');
    const report = (reason: string) =>
      world.relay.nodeHandlers['sessions/report']({ sessionId, status: 'ended', reason }, { ...as(owner), link: node });
    await report('It crashed');
    await report('Again');
    expect(await world.relay.handlers['sessions/get']({ id: sessionId }, as(owner))).toMatchObject({
      status: 'ended',
      reason: 'It crashed',
    });
  });
});

it('an agent whose process died is told to the owner and to who started it, with what to do', async () => {
  await world.attach(node);
  const { sessionId } = await world.start('Worker');
  const report = () =>
    world.relay.nodeHandlers['sessions/report'](
      { sessionId, status: 'failed', reason: 'It crashed: out of memory' },
      { ...as(owner), link: node },
    );
  await report();
  await report();
  const { data } = await world.relay.handlers['messages/list']({ from: 'relay' }, as(owner));
  expect(data).toMatchObject([
    {
      to: 'id:owner',
      kind: 'notice',
      payload: { type: 'session.failed', agentId: 'Worker', sessionId },
      body: expect.stringMatching(
        /^Worker is gone: It crashed: out of memory\.\n.*agent-relay spawn \S+ --name Worker .*--approval open --model m --node local --resume$/su,
      ),
    },
  ]);
});

describe('a machine that comes and goes', () => {
  let session: Session;
  beforeEach(async () => {
    await world.attach(node);
    session = await world.start('Worker');
  });

  it('keeps its agents when it is back within the grace, also with a relay that started anew', async () => {
    world.relay.nodeDetached(node);
    world = await world.restart();
    world.clock.at += 59_000;
    await world.relay.reap();
    const back = new FarNode();
    const answer = await world.attach(back, [offered(session)]);
    const sessions = [{ sessionId: session.sessionId, keep: true, ackedSeq: 0 }];
    expect(answer).toEqual({ nodeId: 'local', name: 'laptop', version: RELAY_VERSION, protocol: PROTOCOL_VERSION, sessions });
    expect(await heartbeat([{ sessionId: session.sessionId, status: 'busy' }], back)).toEqual({ release: [] });
    expect(world.agent('Worker').status).toBe('busy');
  });

  it('loses them after the grace, and is told so when it comes back', async () => {
    world.relay.nodeDetached(node);
    world.clock.at += 61_000;
    await world.relay.reap();
    expect(world.agent('Worker').status).toBe('offline');
    const back = new FarNode();
    expect((await world.attach(back, [offered(session)])).sessions).toEqual([{ sessionId: session.sessionId, keep: false, ackedSeq: 0 }]);
    expect(await heartbeat([{ sessionId: session.sessionId, status: 'idle' }], back)).toEqual({ release: [session.sessionId] });
  });

  it('that was removed by a relay which ended in the middle of it loses them without a grace', async () => {
    world.relay.nodeDetached(node);
    await world.store.nodes.change(workspace, 'local', () => ({
      answer: null,
      change: { at: 1, nodes: [{ nodeId: 'local', node: null }] },
    }));
    world = await world.restart();
    await world.relay.reap();
    expect(await world.relay.handlers['sessions/get']({ id: session.sessionId }, as(owner))).toMatchObject({
      status: 'ended',
      reason: 'Its machine was removed',
    });
  });

  it('that was removed is not made known again by the end of its link', async () => {
    await world.store.nodes.change(workspace, 'local', () => ({
      answer: null,
      change: { at: 1, nodes: [{ nodeId: 'local', node: null }] },
    }));
    world.relay.nodeDetached(node);
    await world.store.check();
    expect((await world.relay.handlers['nodes/list']({}, as(owner))).data).toEqual([]);
  });

  it('that no longer runs a session ends it by not naming it', async () => {
    await world.attach(new FarNode(), []);
    expect(await world.relay.handlers['sessions/get']({ id: session.sessionId }, as(owner))).toMatchObject({
      status: 'ended',
      reason: 'Its machine no longer runs it',
    });
  });

  it('has one link: a newer one closes the older, whose end then means nothing', async () => {
    const newer = new FarNode();
    await world.attach(newer, [offered(session)]);
    expect(node.closedWith).toBe('stale_session');
    world.relay.nodeDetached(node);
    expect((await world.relay.handlers['nodes/list']({}, as(owner))).data).toMatchObject([{ nodeId: 'local', status: 'online' }]);
    await expect(heartbeat([])).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('learns nothing of sessions that are not its own', async () => {
    const other = new FarNode();
    const attached = await world.attach(other, [], owner, 'server');
    expect(attached.nodeId).not.toBe('local');
    const context = { ...as(owner), link: other };
    const { sessionId } = session;
    await expect(world.relay.nodeHandlers['sessions/report']({ sessionId, status: 'ended' }, context)).rejects.toMatchObject({
      code: 'not_found',
    });
    expect((await heartbeat([{ sessionId, status: 'idle' }], other)).release).toEqual([sessionId]);
    expect(world.agent('Worker').status).not.toBe('offline');
  });

  it('with a token of its own takes nobody’s place by its name, and gives none of its own away', async () => {
    const lent = { type: 'node', workspace, nodeId: 'far' } as const;
    const [far, server] = [new FarNode(), new FarNode()];
    expect(await world.attach(far, [], lent, 'server')).toMatchObject({ nodeId: 'far' });
    const { nodeId } = await world.attach(server, [], owner, 'server');
    expect(nodeId).toMatch(/^node-/);
    expect(await world.attach(far, [], lent, 'laptop')).toMatchObject({ nodeId: 'far' });
    expect(await world.attach(node, [offered(session)])).toMatchObject({ nodeId: 'local', sessions: [{ keep: true }] });
    expect((await world.attach(server, [], owner, 'server')).nodeId).toBe(nodeId);
    await expect(world.start('W2', owner, { node: 'server' })).rejects.toMatchObject({ code: 'validation_failed' });
    expect(await world.start('W2', owner, { node: 'local' })).toMatchObject({ nodeId: 'local' });
  });

  it('was last seen at its last heartbeat', async () => {
    world.clock.at += 5_000;
    await heartbeat([]);
    expect((await world.relay.handlers['nodes/list']({}, as(owner))).data).toMatchObject([
      { connectedAt: 1_000_000, lastSeenAt: 1_005_000 },
    ]);
  });

  it('of another protocol is refused', async () => {
    const params = { name: 'old', version: '0', protocol: 99, providers: [], sessions: [] };
    await expect(world.relay.nodeHandlers['nodes/attach'](params, { ...as(owner), link: new FarNode() })).rejects.toMatchObject({
      code: 'unsupported',
    });
  });
});
