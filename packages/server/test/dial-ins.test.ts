import { PROTOCOL_VERSION, RelayError } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { beginSession } from '../src/domain/session-lifecycle.ts';
import { takeToken } from '../src/store/store-contract-parts.ts';
import { codeOf } from './core/world.ts';
import { as, FarNode, offered, owner, SessionWorld, workspace } from './session-world.ts';

let world: SessionWorld;
beforeEach(async () => {
  world = await SessionWorld.open();
  await world.relay.handlers['agents/register']({ id: 'Lead', name: 'Lead' }, as(owner));
});
afterEach(() => world.close());

const providers = [{ id: 'claude', available: true, version: '1', reason: null, dialIn: true }];

const attach = (link: FarNode, sessions: ReturnType<typeof offered>[] = []) =>
  world.relay.nodeHandlers['nodes/attach'](
    { name: 'laptop', version: '1', protocol: PROTOCOL_VERSION, providers, sessions },
    { ...as(owner), link },
  );

const dial = () =>
  world.relay.dialIns.open({
    ...{ provider: 'claude', agentId: 'Lead', principal: owner, code: null },
    dialled: { linkId: 'l1', url: '/claude/Lead', relayUrl: 'http://relay', nearby: true },
  });

test('a program whose machine came back without its session is to come again until the machine has said so, and then begins another', async () => {
  await attach(new FarNode());
  const session = await dial();
  const back = new FarNode();
  back.onDialled = async ({ sessionId }) => {
    throw new RelayError('not_found', `The session ${sessionId} does not run here`);
  };
  // The machine offers what it still holds of its activity.
  await attach(back, [offered(session)]);
  await expect(dial()).rejects.toMatchObject({ code: 'node_unavailable' });
  await world.relay.nodeHandlers['sessions/report'](
    { sessionId: session.sessionId, status: 'failed', reason: 'relay-connect ended unexpectedly and its agents with it' },
    { ...as(owner), link: back },
  );
  expect(await dial()).toMatchObject({ epoch: session.epoch + 1, status: 'running' });
});

test('a program that dials in as somebody new and cannot be spoken to is no agent after a while', async () => {
  const link = new FarNode();
  link.onStart = async () => {
    throw new RelayError('provider_unavailable', 'It says nothing that a machine knows');
  };
  await attach(link);
  const { code } = await world.relay.handlers['sessions/invite']({ agent: 'New' }, as(owner));
  const dialled = { linkId: 'l1', url: '/claude/New', relayUrl: 'http://relay', nearby: true };
  const opening = world.relay.dialIns.open({ provider: 'claude', agentId: 'New', principal: null, code, dialled });
  await expect(opening).rejects.toMatchObject({ code: 'provider_unavailable' });
  world.clock.at += 600_000;
  await world.relay.reap();
  const { data } = await world.relay.handlers['agents/list']({}, as(owner));
  expect(data.flatMap(({ id, kind }) => (kind === 'provider' ? [id] : []))).toEqual(['Lead']);
});

const dialWith = (code: string, agentId: string) =>
  world.relay.dialIns.open({
    ...{ provider: 'claude', agentId, principal: null, code },
    dialled: { linkId: 'l1', url: `/claude/${agentId}`, relayUrl: 'http://relay', nearby: true },
  });

test('a code is taken with the session that begins by it: a start that is refused leaves it good', async () => {
  await attach(new FarNode());
  const { code } = await world.relay.handlers['sessions/invite']({ agent: 'New' }, as(owner));
  const node = { nodeId: 'elsewhere', name: 'elsewhere' };
  const terms = { mode: 'agentic', approval: 'open', ask: false, spawnedBy: null } as const;
  const request = { name: 'New', provider: 'claude' };
  const first = world.store.sessions.begin(workspace, 'New', (facts) =>
    beginSession(facts, { ...terms, request, sessionId: 's', instanceId: 'i', node, now: world.clock.at, tokensFor: () => [] }),
  );
  // Whoever looked before that was written sees nobody there.
  expect(await codeOf(dialWith(code, 'New'))).toBe('name_taken');
  await first;
  await world.relay.handlers['agents/release']({ id: 'New' }, as(owner));
  const session = await dialWith(code, 'New');
  expect(session).toMatchObject({ status: 'running', epoch: 2 });
  // It is the session's own now, and ends with it.
  expect((await dialWith(code, 'New')).sessionId).toBe(session.sessionId);
  await world.relay.handlers['agents/release']({ id: 'New' }, as(owner));
  expect(await codeOf(dialWith(code, 'New'))).toBe('unauthorized');
});

test('nobody dials in as an agent that was removed just before, or with a token that was revoked just before', async () => {
  const link = new FarNode();
  await attach(link);
  const { token, tokenId } = await world.relay.handlers['tokens/create'](
    { name: 'Lead', kind: 'agent', agentId: 'Lead', scopes: ['sessions:write'] },
    as(owner),
  );
  const principal = await world.relay.authenticate(token ?? '');
  const dialled = { linkId: 'l1', url: '/claude/Lead', relayUrl: 'http://relay', nearby: true };
  const revoked = takeToken(world.store, { workspace, tokenId });
  expect(await codeOf(world.relay.dialIns.open({ provider: 'claude', agentId: 'Lead', principal, code: null, dialled }))).toBe(
    'unauthorized',
  );
  expect(await revoked).not.toBeNull();
  const removed = world.store.agents.remove(workspace, 'Lead', { after: 0, limit: 10 }, () => ({
    answer: null,
    change: { at: world.clock.at, agents: [{ id: 'Lead', agent: null }] },
  }));
  expect(await codeOf(dial())).toBe('not_found');
  await removed;
  expect(link.commands).toEqual([]);
});
