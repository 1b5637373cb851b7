import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { as, FarNode, owner, SessionWorld, workspace } from './session-world.ts';

let world: SessionWorld;
let node: FarNode;
beforeEach(async () => {
  world = await SessionWorld.open();
  node = new FarNode();
  await world.attach(node);
});
afterEach(() => world.close());

const agentToken = (agentId: string, epoch = 1) => ({ type: 'agent', workspace, agentId, epoch }) as const;
const lastStart = () => node.commands.filter(({ name }) => name === 'session/start').at(-1)?.params;

describe('a copy of a conversation', () => {
  beforeEach(() => {
    node.onStart = async ({ cwd, session, resume, fork = false }) => ({
      ...{ cwd: cwd ?? '/fresh', vendorSessionId: `of ${session.agentId}`, model: null },
      ...{ resumed: resume !== undefined, forked: fork },
    });
  });

  it('a conversation has one session at a time: another goes on with it once that has ended, or with a copy', async () => {
    node.onStart = async ({ resume, fork }) => ({
      ...{ cwd: '/w', model: null, vendorSessionId: fork ? 'copy' : (resume ?? 'v'), resumed: resume !== undefined },
      ...(fork && { forked: true }),
    });
    await world.start('Lead', owner);
    const from = (name: string, more: object = {}) => world.start(name, owner, { resume: true, resumeFrom: 'Lead', ...more });
    await expect(from('Heir')).rejects.toMatchObject({ code: 'busy', message: expect.stringContaining('Lead has the conversation') });
    expect(await from('Copy', { fork: true })).toMatchObject({ status: 'running' });
    await world.relay.handlers['agents/release']({ id: 'Lead' }, as(owner));
    const both = await Promise.allSettled([from('Heir'), from('Other')]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(world.start('Lead', owner, { resume: true })).rejects.toMatchObject({ code: 'busy' });
  });

  it('is gone on with by another agent, while the first goes on with its own', async () => {
    await world.start('Lead', owner, { cwd: '/work' });
    const copy = await world.start('Copy', owner, { resume: true, resumeFrom: 'Lead', fork: true });
    expect(copy).toMatchObject({ agentId: 'Copy', cwd: '/work', vendorSessionId: 'of Copy' });
    expect(lastStart()).toMatchObject({ resume: 'of Lead', fork: true, cwd: '/work' });
    expect(world.agent('Lead')).toMatchObject({ status: 'online' });
  });

  it('is named by its field where it is not a copy of anything, and an agent copies only what it started', async () => {
    for (const field of [{ fork: true }, { resumeFrom: 'Lead' }])
      await expect(world.start('Copy', owner, field)).rejects.toMatchObject({
        code: 'validation_failed',
        issues: [{ path: Object.keys(field)[0] }],
      });
    await world.start('Lead', owner, { cwd: '/work' });
    await world.start('Private');
    const stolen = world.start('Copy', agentToken('Lead'), { resume: true, resumeFrom: 'Private', fork: true });
    await expect(stolen).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is not believed of a machine that is too old to have made one', async () => {
    await world.start('Lead');
    node.onStart = async () => ({ cwd: '/w', vendorSessionId: 'of Lead', model: null, resumed: true });
    await expect(world.start('Copy', owner, { resume: true, resumeFrom: 'Lead', fork: true })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('update it'),
    });
  });
});

describe('an agent in the background', () => {
  beforeEach(() => {
    node.onStart = async ({ session }) => ({
      ...{ cwd: '/w', vendorSessionId: 'v', model: null },
      ...(session.target === 'background' && { attach: 'claude attach 1' }),
    });
  });
  const start = () => world.start('Back', owner, { target: 'background' });

  it('says how a person opens it, and asks people itself until it is released', async () => {
    const { instanceId, attach, target } = await start();
    expect({ attach, target }).toEqual({ attach: 'claude attach 1', target: 'background' });
    const ask = (id: string, instance: string) =>
      world.relay.handlers['approvals/ask'](
        { id, instanceId: instance, approvalId: 'a1', kind: 'execute', title: 'npm test' },
        as(agentToken(id)),
      );
    expect(await ask('Back', instanceId)).toMatchObject({ status: 'pending', agentId: 'Back' });
    expect(await world.relay.handlers['approvals/resolve']({ id: 'Back', approvalId: 'a1', outcome: 'allow' }, as(owner))).toMatchObject({
      status: 'allowed',
    });
    const other = await world.start('Headless');
    await expect(ask('Headless', other.instanceId)).rejects.toMatchObject({ code: 'unsupported' });
    await world.relay.handlers['approvals/ask'](
      { id: 'Back', instanceId, approvalId: 'a2', kind: 'execute', title: 'npm start' },
      as(agentToken('Back')),
    );
    await world.relay.handlers['agents/release']({ id: 'Back' }, as(owner));
    const { data } = await world.relay.handlers['approvals/list']({ agent: 'Back' }, as(owner));
    expect(data.find(({ approvalId }) => approvalId === 'a2')).toMatchObject({ status: 'cancelled' });
  });

  it('says itself whether it works: its machine, which does not see it, leaves that as it is', async () => {
    const { sessionId, instanceId } = await start();
    await world.relay.handlers['agents/heartbeat']({ id: 'Back', instanceId, status: 'busy' }, as(agentToken('Back')));
    await world.relay.nodeHandlers['nodes/heartbeat']({ sessions: [{ sessionId, status: 'idle' }] }, { ...as(owner), link: node });
    expect(world.agent('Back').status).toBe('busy');
  });

  it('is started by a person, agentic and in no sandbox, on a machine that knows how', async () => {
    await world.start('Lead');
    await expect(world.start('Back', agentToken('Lead'), { target: 'background' })).rejects.toMatchObject({ code: 'forbidden' });
    for (const more of [{ mode: 'safe' }, { sandbox: 'os' }] as const)
      await expect(world.start('Back', owner, { target: 'background', ...more })).rejects.toMatchObject({
        code: 'validation_failed',
        issues: [{ path: Object.keys(more)[0] }],
      });
    node.onStart = async () => ({ cwd: '/w', vendorSessionId: 'v', model: null });
    await expect(start()).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining('update it') });
    expect(world.agent('Back').status).toBe('offline');
  });
});
