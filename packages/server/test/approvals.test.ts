import { type AgentEvent, type Principal, RelayError, type RelayEvent, type RouteInput, type Session } from 'agent-relay-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { as, FarNode, offered, owner, SessionWorld, workspace } from './session-world.ts';

let world: SessionWorld;
let node: FarNode;
let session: Session;
let seq: number;
beforeEach(async () => {
  world = await SessionWorld.open();
  node = new FarNode();
  await world.attach(node);
  session = await world.start('Worker', owner, { approval: 'guarded' });
  seq = 0;
});
afterEach(() => world.close());

const options = [
  { id: 'allow', label: 'Allow', outcome: 'allow' as const },
  { id: 'deny', label: 'Deny', outcome: 'deny' as const },
];
const ask = (approvalId: string): Extract<AgentEvent, { type: 'approval.requested' }> => ({
  type: 'approval.requested',
  approvalId,
  kind: 'execute',
  title: 'Bash: npm test',
  cwd: '/fresh',
  input: { command: 'npm test' },
  options,
});
const told = (approvalId: string, outcome: 'allowed' | 'denied' | 'cancelled', by: string): AgentEvent => ({
  type: 'approval.resolved',
  approvalId,
  outcome,
  by,
});
/** A question of a vendor's own, with a form. */
const own = {
  options: [
    { id: 'yes-session', label: 'Yes, until the session ends', outcome: 'allow_session' as const },
    { id: 'no', label: 'No', outcome: 'deny' as const },
  ],
  form: [
    { id: 'colour', text: 'Which?', choices: [{ value: 'red', label: 'Red' }], allowsText: true, allowsSeveral: true },
    {
      id: 'shape',
      text: 'How?',
      choices: ['round', 'flat'].map((value) => ({ value, label: value })),
      allowsText: false,
      isOptional: true,
    },
    { id: 'count', text: 'How many?', choices: [], allowsText: true, format: 'integer' as const, isOptional: true },
    { id: 'key', text: 'The key?', choices: [], allowsText: true, isSecret: true, isOptional: true },
  ],
  isEditable: true,
};
const restarted = async () => {
  world.relay.nodeDetached(node);
  const next = await world.restart();
  await next.attach(node, [offered(session, seq)]);
  return next;
};
const say = (...events: AgentEvent[]) =>
  world.relay.nodeHandlers['activity/append'](
    { sessionId: session.sessionId, entries: events.map((event) => ({ seq: ++seq, at: 1, event })) },
    { ...as(owner), link: node },
  );
const list = async (filter: object = {}, principal: Principal = owner) =>
  (await world.relay.handlers['approvals/list'](filter, as(principal))).data;
const count = async (filter: object = {}, principal: Principal = owner) =>
  (await world.relay.handlers['approvals/count'](filter, as(principal))).counts;
const answer = (approvalId: string, outcome: 'allow' | 'deny' = 'allow', principal: Principal = owner, id = 'Worker') =>
  Promise.resolve().then(() => world.relay.handlers['approvals/resolve']({ id, approvalId, outcome, message: 'as agreed' }, as(principal)));
const approvalEvents = async () => {
  const { entries } = await world.store.log.read(0, 10_000);
  const all: RelayEvent[] = entries.flatMap((entry) => [...entry.events()]);
  return all.flatMap((event) => ('approval' in event ? [[event.type, event.approval.approvalId, event.approval.status]] : []));
};

const pending = {
  approvalId: 'a1',
  agentId: 'Worker',
  kind: 'execute',
  title: 'Bash: npm test',
  cwd: '/fresh',
  input: { command: 'npm test' },
  options,
  requestedAt: 1_000_000,
  status: 'pending',
  resolvedAt: null,
  by: null,
  message: null,
};
const phone: Principal = {
  type: 'token',
  kind: 'scoped',
  workspace,
  tokenId: 't',
  name: 'phone',
  agentId: null,
  scopes: ['approvals:read', 'approvals:write'],
  targets: null,
  channels: null,
};
const grant = { workspace, scopes: ['*' as const], targets: null, channels: null };
const agentToken = (agentId: string, epoch = 1): Principal => ({ type: 'agent', workspace, agentId, epoch });

describe('what an agent asks', () => {
  it('is listed and told on the log with the activity that says so, once however often that is sent', async () => {
    await say(ask('a1'), ask('a2'));
    seq = 0;
    await say(ask('a1'), ask('a2'));
    expect(await list({ status: 'pending' })).toEqual([
      { ...pending, approvalId: 'a2', sessionId: session.sessionId },
      { ...pending, sessionId: session.sessionId },
    ]);
    expect(await approvalEvents()).toEqual([
      ['approval.requested', 'a1', 'pending'],
      ['approval.requested', 'a2', 'pending'],
    ]);
    expect(await list({ agent: 'owner' })).toEqual([]);
  });

  it('is answered by a person: the machine hands it over, and who it was is kept and told', async () => {
    await say(ask('a1'));
    world.clock.at += 5;
    const allowed = {
      ...pending,
      sessionId: session.sessionId,
      status: 'allowed',
      resolvedAt: 1_000_005,
      by: 'token:phone',
      message: 'as agreed',
    };
    expect(await answer('a1', 'allow', phone)).toEqual(allowed);
    expect(node.commands.at(-1)).toEqual({
      name: 'session/resolve-approval',
      params: { sessionId: session.sessionId, approvalId: 'a1', outcome: 'allow', message: 'as agreed', by: 'token:phone' },
    });
    await say(told('a1', 'allowed', 'token:phone'));
    expect(await list()).toEqual([allowed]);
    expect(await list({ status: 'pending' })).toEqual([]);
    expect(await approvalEvents()).toEqual([
      ['approval.requested', 'a1', 'pending'],
      ['approval.resolved', 'a1', 'allowed'],
    ]);
  });

  it('is answered once: who comes later, or at the same time, is told who was first', async () => {
    await say(ask('a1'));
    let isOpen = true;
    node.onApproval = async () => {
      const resolved = isOpen;
      isOpen = false;
      return { resolved };
    };
    const [first, second] = await Promise.allSettled([answer('a1', 'deny'), answer('a1', 'allow', phone)]);
    expect(first).toMatchObject({ status: 'fulfilled', value: { status: 'denied', by: 'owner' } });
    expect(second).toMatchObject({
      status: 'rejected',
      reason: { code: 'already_resolved', details: { status: 'denied', by: 'owner', resolvedAt: 1_000_000 } },
    });
    await expect(answer('a1')).rejects.toMatchObject({ code: 'already_resolved', details: { by: 'owner' } });
    expect(node.commands.filter(({ name }) => name === 'session/resolve-approval')).toHaveLength(1);
  });

  it("is answered by one of its vendor's own options, with what its form asks for, and what is secret is kept nowhere", async () => {
    await say({ ...ask('a1'), ...own, expiresInMs: 600_000 });
    expect(await list()).toMatchObject([{ ...own, expiresAt: 1_600_000 }]);
    world = await restarted();
    const answers = { colour: ['red', 'pink'], key: ['hush'] };
    const input = { id: 'Worker', approvalId: 'a1', optionId: 'yes-session', answers, updatedInput: { command: 'npm run lint' } };
    const ended = {
      status: 'allowed',
      by: 'owner',
      optionId: 'yes-session',
      answers: { colour: ['red', 'pink'] },
      updatedInput: { command: 'npm run lint' },
    };
    expect(await world.relay.handlers['approvals/resolve'](input, as(owner))).toMatchObject(ended);
    const { id: _, ...told } = input;
    expect(node.commands.at(-1)?.params).toEqual({ ...told, sessionId: session.sessionId, outcome: 'allow', by: 'owner' });
    expect(await list()).toMatchObject([ended]);
    expect(JSON.stringify([await list(), (await world.store.log.read(0, 1_000)).entries.map((entry) => entry.events())])).not.toContain(
      'hush',
    );
  });

  it.each([
    ['an option that is not offered', { optionId: 'maybe' }, 'optionId'],
    ['a word that does not fit the option', { optionId: 'no', outcome: 'allow' }, 'outcome'],
    ['nothing at all', {}, 'outcome'],
    ['a yes once where there is none', { outcome: 'allow', answers: { colour: ['red'] } }, 'optionId'],
    ['an answer that is missing', { optionId: 'yes-session' }, 'answers.colour'],
    ['an answer to what was not asked', { optionId: 'yes-session', answers: { colour: ['red'], size: ['9'] } }, 'answers.size'],
    ['a number that is none', { optionId: 'yes-session', answers: { colour: ['red'], count: ['many'] } }, 'answers.count'],
    ['none of the choices', { optionId: 'yes-session', answers: { colour: ['red'], shape: ['dodecahedron'] } }, 'answers.shape'],
    [
      'two answers where one is asked for',
      { optionId: 'yes-session', answers: { colour: ['red'], shape: ['round', 'flat'] } },
      'answers.shape',
    ],
  ] as const)('refuses %s by its field, and goes on to wait', async (_, given, path) => {
    await say({ ...ask('a1'), ...own });
    const input = structuredClone({ id: 'Worker', approvalId: 'a1', ...given }) as RouteInput<'approvals/resolve'>;
    const answered = Promise.resolve().then(() => world.relay.handlers['approvals/resolve'](input, as(owner)));
    await expect(answered).rejects.toMatchObject({ code: 'validation_failed', issues: [expect.objectContaining({ path })] });
    expect([node.commands.filter(({ name }) => name === 'session/resolve-approval'), (await list()).length]).toEqual([[], 1]);
  });

  it('takes no other input where the agent takes none', async () => {
    await say(ask('a1'));
    const input = { id: 'Worker', approvalId: 'a1', outcome: 'allow' as const, updatedInput: { command: 'rm' } };
    const answered = Promise.resolve().then(() => world.relay.handlers['approvals/resolve'](input, as(owner)));
    await expect(answered).rejects.toMatchObject({
      code: 'validation_failed',
      issues: [expect.objectContaining({ path: 'updatedInput' })],
    });
  });

  it('that its agent no longer waits for is not claimed to be answered; what became of it comes with the activity', async () => {
    await say(ask('a1'));
    node.onApproval = async () => ({ resolved: false });
    await expect(answer('a1')).rejects.toMatchObject({ code: 'already_resolved' });
    await say(told('a1', 'denied', 'timeout'));
    expect(await list()).toMatchObject([{ status: 'denied', by: 'timeout' }]);
  });

  it('waits while its machine is away, also through a restart of the relay', async () => {
    await say(ask('a1'));
    node.onApproval = async () => {
      throw new RelayError('connection_closed', 'gone');
    };
    await expect(answer('a1')).rejects.toMatchObject({ code: 'node_unavailable' });
    world.relay.nodeDetached(node);
    world = await world.restart();
    await expect(answer('a1')).rejects.toMatchObject({ code: 'node_unavailable' });
    expect(await list({ status: 'pending' })).toHaveLength(1);
    node = new FarNode();
    await world.attach(node, [offered(session, seq)]);
    expect(await answer('a1')).toMatchObject({ status: 'allowed', by: 'owner' });
  });

  it('that a person answered while the relay could not write it down is known from the activity', async () => {
    await say(ask('a1'), told('a1', 'allowed', 'owner'));
    expect(await list()).toMatchObject([{ status: 'allowed', by: 'owner' }]);
    await expect(answer('a1')).rejects.toMatchObject({ code: 'already_resolved', details: { status: 'allowed', by: 'owner' } });
  });

  it('is cancelled when its session ends, in the same commit, and cannot be asked after that', async () => {
    await say(ask('a1'));
    await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
    await say(ask('a2'), told('a1', 'cancelled', 'session'));
    expect(await list()).toMatchObject([{ approvalId: 'a1', status: 'cancelled', by: 'session' }]);
    expect((await world.eventTypes()).slice(-3)).toEqual(['approval.resolved', 'session.ended', 'agent.status']);
    await expect(answer('a1')).rejects.toMatchObject({ code: 'already_resolved', details: { status: 'cancelled' } });
  });

  it('of a later session is another question, also under the same id', async () => {
    await say(ask('a1'));
    await answer('a1', 'deny');
    await world.relay.handlers['agents/release']({ id: 'Worker' }, as(owner));
    session = await world.start('Worker');
    seq = 0;
    await say(ask('a1'));
    expect(await answer('a1')).toMatchObject({ status: 'allowed', sessionId: session.sessionId });
    expect((await list()).map(({ status }) => status)).toEqual(['allowed', 'denied']);
  });

  it('is forgotten after the retention, unless somebody still waits for the answer', async () => {
    await say(ask('a1'), told('a1', 'denied', 'owner'), ask('a2'));
    world.clock.at += 31 * 86_400_000;
    await world.attach(node, [offered(session, seq)]);
    await world.relay.reap();
    expect(await list()).toMatchObject([{ approvalId: 'a2', status: 'pending' }]);
  });
});

describe('who may', () => {
  beforeEach(() => say(ask('a1')));

  it.each([
    ['the agent itself', agentToken('Worker'), 'forbidden'],
    ['another agent', agentToken('Lead'), 'forbidden'],
    ['a token made for an agent', { ...phone, scopes: ['sessions:write'], agentId: 'Lead' } as Principal, 'forbidden_scope'],
    ['its machine', { type: 'node', workspace, nodeId: 'local' } as Principal, 'forbidden'],
  ])('not answer: %s', async (_, principal, code) => {
    await expect(answer('a1', 'allow', principal)).rejects.toMatchObject({ code });
    expect(await list({ status: 'pending' })).toHaveLength(1);
  });

  it('answer only what its token may reach', async () => {
    const narrowed: Principal = { ...phone, targets: ['id:Other'] };
    await expect(answer('a1', 'allow', narrowed)).rejects.toMatchObject({ code: 'forbidden_target' });
    await expect(answer('none')).rejects.toMatchObject({ code: 'not_found' });
    await expect(answer('a1', 'allow', owner, 'Nobody')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('answer as a channel, which speaks for people: only with the scope that such a token has', async () => {
    const channel: Principal = { ...phone, agentId: 'telegram', scopes: ['approvals:read', 'approvals:write'] };
    await expect(answer('a1', 'allow', { ...channel, scopes: ['approvals:read', 'sessions:write'] })).rejects.toMatchObject({
      code: 'forbidden_scope',
    });
    expect(await list({}, channel)).toHaveLength(1);
    expect(await list({}, { ...channel, scopes: ['approvals:write', 'sessions:read'] })).toEqual([]);
    expect(await answer('a1', 'deny', channel)).toMatchObject({ status: 'denied', by: 'token:phone' });
  });

  it('say for whom it answers: a channel, and nobody else', async () => {
    const input = { id: 'Worker', approvalId: 'a1', outcome: 'allow' as const, person: '7' };
    const resolve = (principal: Principal) => Promise.resolve().then(() => world.relay.handlers['approvals/resolve'](input, as(principal)));
    for (const principal of [owner, phone])
      await expect(resolve(principal)).rejects.toMatchObject({ code: 'forbidden', issues: [expect.objectContaining({ path: 'person' })] });
    expect(await resolve({ ...phone, agentId: 'telegram' })).toMatchObject({ by: 'person:7@telegram' });
  });

  it('see it: an agent what it asked itself, and what those ask that it started', async () => {
    expect(await list({}, agentToken('Worker'))).toHaveLength(1);
    expect(await list({}, agentToken('Lead'))).toEqual([]);
    const none = { pending: 0, allowed: 0, denied: 0, cancelled: 0 };
    expect([await count(), await count({ status: 'allowed' })]).toEqual([{ ...none, pending: 1 }, none]);
    expect([await count({}, agentToken('Worker')), await count({}, agentToken('Lead'))]).toEqual([{ ...none, pending: 1 }, none]);
    await expect(count({ agent: 'Worker' }, agentToken('Lead'))).rejects.toMatchObject({ code: 'forbidden' });
    await expect(list({ agent: 'Worker' }, agentToken('Lead'))).rejects.toMatchObject({ code: 'forbidden' });
    await expect(list({}, { type: 'integration', name: 'ci', ...grant })).rejects.toMatchObject({ code: 'forbidden' });
  });

  it.each<[string, Principal, boolean]>([
    ['the owner', owner, true],
    ["a program's token", phone, true],
    ["a channel's token", { ...phone, agentId: 'telegram', scopes: ['events:read', 'approvals:read'] }, true],
    ['the agent itself', agentToken('Worker'), true],
    ['another agent', agentToken('Lead'), false],
    ['an integration', { type: 'integration', name: 'ci', ...grant, scopes: ['events:read'] }, false],
    ['a program without a token', { type: 'anonymous', workspace }, false],
  ])('follow it on the log as in the list: %s', async (_, principal, sees) => {
    const signal = AbortSignal.timeout(20_000);
    const reader = principal.type === 'token' ? { ...principal, scopes: [...principal.scopes, 'events:read' as const] } : principal;
    const { batches } = await world.relay.openEvents({ after: 0, types: ['approval', 'agent.updated'] }, { principal: reader, signal });
    await world.relay.handlers['agents/label']({ id: 'Worker', label: 'last' }, as(owner));
    const types: string[] = [];
    for await (const batch of batches) {
      if ('events' in batch) types.push(...batch.events.map(({ type, ...event }) => ('agent' in event ? (event.agent.label ?? '') : type)));
      if (types.includes('last')) break;
    }
    expect(types.includes('approval.requested')).toBe(sees);
  });
});
