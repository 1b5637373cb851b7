import { type Principal, type Route, type RouteName, routeNames, routes, type Scope, scopes } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { isOwner, mayBind, mayCall, mayEndTask, mayGiveBack, mayTakeBack, ownTokenId } from './permissions.ts';

const token = (granted: readonly Scope[], more: Partial<Extract<Principal, { type: 'token' }>> = {}): Principal => ({
  type: 'token',
  kind: 'scoped',
  workspace: 'default',
  tokenId: 't',
  name: 'board',
  agentId: null,
  targets: null,
  channels: null,
  scopes: [...granted],
  ...more,
});
const owner: Principal = { type: 'owner', workspace: 'default' };
const session: Principal = { type: 'agent', workspace: 'default', agentId: 'Worker', epoch: 1 };
const node: Principal = { type: 'node', workspace: 'default', nodeId: 'n' };
const anonymous: Principal = { type: 'anonymous', workspace: 'default' };
const ops: Principal = { type: 'integration', workspace: 'default', name: 'ops', scopes: ['*'], targets: null, channels: null };

const scopesOf = (name: RouteName): readonly Scope[] => {
  const { scope, alsoScopes = [] }: Route = routes[name];
  return scope === null ? [] : [scope, ...alsoScopes];
};

test.each(routeNames.filter((name) => scopesOf(name).length > 0))(
  '%s is offered to who has its scope, and not for all the others',
  (name) => {
    const [scope = '*'] = scopesOf(name);
    expect(mayCall(token([scope]), name)).toBe(true);
    expect(mayCall(token(['*']), name)).toBe(true);
    expect(mayCall(token(scopes.filter((other) => other !== '*' && !scopesOf(name).includes(other))), name)).toBe(false);
  },
);

test('what needs no scope is offered to everybody, and before it is known who is signed in nothing is', () => {
  expect([mayCall(token(['stats:read']), 'system/me'), mayCall(anonymous, 'system/me')]).toEqual([true, true]);
  expect([mayCall(undefined, 'system/me'), mayCall(undefined, 'tasks/list')]).toEqual([false, false]);
});

test('who has no token is offered what the table leaves to such programs', () => {
  expect([mayCall(anonymous, 'tasks/list'), mayCall(anonymous, 'sessions/start')]).toEqual([true, false]);
});

test('an older scope that the table names opens a route as well', () => {
  expect(mayCall(token(['tasks:create']), 'integrations/report')).toBe(true);
});

test('what is the owner’s alone is offered to the owner, and to a token with everything that nothing narrows', () => {
  const narrowed = token(['*'], { targets: ['tag:ops'] });
  expect([owner, token(['*']), narrowed, ops, session, node, anonymous, undefined].map(isOwner)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
  expect([mayCall(owner, 'tokens/create'), mayCall(token(['*']), 'tokens/create'), mayCall(narrowed, 'tokens/create')]).toEqual([
    true,
    true,
    false,
  ]);
  expect(mayCall(narrowed, 'tasks/status')).toBe(true);
});

test('a decision is offered to people, and to no agent', () => {
  expect([mayCall(owner, 'holds/release'), mayCall(token(['holds:write']), 'holds/release')]).toEqual([true, true]);
  expect(mayCall(token(['holds:write'], { agentId: 'Worker' }), 'holds/release')).toBe(false);
  expect([session, node, ops].map((principal) => mayCall(principal, 'holds/release'))).toEqual([false, false, false]);
});

test('answering what agents ask is offered to people, their programs and their channels', () => {
  expect([mayCall(owner, 'approvals/resolve'), mayCall(token(['approvals:write']), 'approvals/resolve')]).toEqual([true, true]);
  expect(mayCall(token(['approvals:write'], { agentId: 'phone' }), 'approvals/resolve')).toBe(true);
  expect(mayCall(token(['sessions:write'], { agentId: 'Worker' }), 'approvals/resolve')).toBe(false);
  expect([session, node, ops].map((principal) => mayCall(principal, 'approvals/resolve'))).toEqual([false, false, false]);
});

test('standing rules are seen, made and revoked by people and their programs', () => {
  const names: RouteName[] = ['rules/list', 'rules/create', 'rules/revoke'];
  const offered = (principal: Principal) => names.map((name) => mayCall(principal, name));
  expect(offered(owner)).toEqual([true, true, true]);
  expect(offered(token(['approvals:read']))).toEqual([true, false, false]);
  expect(offered(token(['approvals:write']))).toEqual([false, true, true]);
  expect([session, node, ops].map(offered)).toEqual(Array(3).fill([false, false, false]));
});

test('what agents ask is seen by people; an agent sees what it asked itself', () => {
  expect([mayCall(token(['approvals:read']), 'approvals/list'), mayCall(token(['sessions:read']), 'approvals/list')]).toEqual([
    true,
    false,
  ]);
  expect(mayCall(token(['sessions:read'], { agentId: 'Worker' }), 'approvals/list')).toBe(true);
  expect([mayCall(session, 'approvals/list'), mayCall(ops, 'approvals/list')]).toEqual([true, false]);
});

test('callbacks are for people, their programs and integrations', () => {
  expect([owner, token(['tasks:read']), ops].map((principal) => mayCall(principal, 'callbacks/list'))).toEqual([true, true, true]);
  const agentToken = token(['tasks:read'], { agentId: 'Worker' });
  expect([agentToken, session, node, anonymous].map((principal) => mayCall(principal, 'callbacks/list'))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test('binding is offered to people, their programs and the channel itself', () => {
  expect(mayBind(owner, 'phone')).toBe(true);
  expect(mayBind(token(['agents:write']), 'phone')).toBe(true);
  expect(mayBind(token(['agents:write'], { agentId: 'phone' }), 'phone')).toBe(true);
  expect(mayBind(token(['agents:write'], { agentId: 'Worker' }), 'phone')).toBe(false);
  expect(mayBind(token(['channels:read']), 'phone')).toBe(false);
  expect([mayBind(node, 'phone'), mayBind(session, 'phone'), mayBind(undefined, 'phone')]).toEqual([false, false, false]);
});

test('who offered work may take it back, and the owner; nobody else', () => {
  const write: Scope[] = ['messages:write'];
  expect(mayTakeBack(owner, 'Lead')).toBe(true);
  expect(mayTakeBack(token(write, { agentId: 'Lead' }), 'Lead')).toBe(true);
  expect(mayTakeBack(token(write, { agentId: 'Worker' }), 'Lead')).toBe(false);
  expect(mayTakeBack(token(['messages:read'], { agentId: 'Lead' }), 'Lead')).toBe(false);
  expect(mayTakeBack(token(write), 'Lead')).toBe(false);
  expect(mayTakeBack(undefined, 'Lead')).toBe(false);
});

test('what an agent has reserved its own token gives back, and the owner; nobody else', () => {
  const write: Scope[] = ['agents:write'];
  expect([mayGiveBack(owner, 'Lead'), mayGiveBack(token(write, { agentId: 'Lead' }), 'Lead')]).toEqual([true, true]);
  const others = [token(write, { agentId: 'Worker' }), token(write), token(['agents:read'], { agentId: 'Lead' }), undefined];
  expect(others.map((principal) => mayGiveBack(principal, 'Lead'))).toEqual([false, false, false, false]);
});

test('a task is ended over its holder’s head by its source and the owner', () => {
  expect([mayEndTask(owner, 'ops'), mayEndTask(ops, 'ops'), mayEndTask(ops, 'ci')]).toEqual([true, true, false]);
  expect([mayEndTask(token(['tasks:write']), 'ops'), mayEndTask(undefined, 'ops')]).toEqual([false, false]);
});

test('a token that somebody signed in with is their own, else the session that their login link began', () => {
  expect(ownTokenId(token(['*']), 'left behind')).toBe('t');
  expect([ownTokenId(owner, 'session'), ownTokenId(owner, null), ownTokenId(undefined, null)]).toEqual(['session', null, null]);
});
