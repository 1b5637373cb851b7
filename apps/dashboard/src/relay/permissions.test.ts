import type { Principal, Scope } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { may, mayAnswer, mayBind, mayDecide, maySeeApprovals, mayTakeBack } from './permissions.ts';

const token = (scopes: Scope[], more: Partial<Extract<Principal, { type: 'token' }>> = {}): Principal => ({
  type: 'token',
  kind: 'scoped',
  workspace: 'default',
  tokenId: 't',
  name: 'board',
  agentId: null,
  targets: null,
  channels: null,
  scopes,
  ...more,
});

test('an observer is offered nothing that changes anything', () => {
  const observer = token(['tasks:read', 'messages:read']);
  expect(([...(['messages:write', 'tasks:write', '*'] as const)] satisfies Scope[]).map((scope) => may(observer, scope))).toEqual([
    false,
    false,
    false,
  ]);
  expect(may(observer, 'tasks:read')).toBe(true);
});

test('what is the owner’s alone is offered to the owner, and to a token with everything that nothing narrows', () => {
  expect(may({ type: 'owner', workspace: 'default' }, '*')).toBe(true);
  expect(may(token(['*']), '*')).toBe(true);
  expect(may(token(['*'], { targets: ['tag:ops'] }), '*')).toBe(false);
  expect(may(token(['*'], { targets: ['tag:ops'] }), 'tasks:write')).toBe(true);
  expect(may({ type: 'agent', workspace: 'default', agentId: 'Worker', epoch: 1 }, '*')).toBe(false);
});

test('before it is known who is signed in nothing is offered', () => {
  expect([may(undefined, 'tasks:read'), may({ type: 'anonymous', workspace: 'default' }, 'tasks:read')]).toEqual([false, false]);
});

test('a decision is offered to people with its scope, and to no agent', () => {
  expect(mayDecide({ type: 'owner', workspace: 'default' }, 'holds:write')).toBe(true);
  expect(mayDecide(token(['holds:write']), 'holds:write')).toBe(true);
  expect(mayDecide(token(['messages:write']), 'holds:write')).toBe(false);
  expect(mayDecide(token(['holds:write'], { agentId: 'Worker' }), 'holds:write')).toBe(false);
  expect(mayDecide({ type: 'agent', workspace: 'default', agentId: 'Worker', epoch: 1 }, 'holds:write')).toBe(false);
  expect(mayDecide(undefined, 'holds:write')).toBe(false);
});

test('answering what agents ask is offered to people, their programs and their channels', () => {
  expect(mayAnswer({ type: 'owner', workspace: 'default' })).toBe(true);
  expect([mayAnswer(token(['sessions:write'])), mayAnswer(token(['approvals:write']))]).toEqual([false, true]);
  expect(mayAnswer(token(['approvals:write'], { agentId: 'phone' }))).toBe(true);
  expect(mayAnswer(token(['sessions:write'], { agentId: 'Worker' }))).toBe(false);
  expect(mayAnswer({ type: 'agent', workspace: 'default', agentId: 'Worker', epoch: 1 })).toBe(false);
  expect([maySeeApprovals(token(['approvals:read'])), maySeeApprovals(token(['sessions:read']))]).toEqual([true, false]);
  expect(maySeeApprovals(token(['sessions:read'], { agentId: 'Worker' }))).toBe(true);
  expect([maySeeApprovals(token(['messages:read'])), maySeeApprovals(undefined)]).toEqual([false, false]);
});

test('binding is offered to people, their programs and the channel itself', () => {
  expect(mayBind({ type: 'owner', workspace: 'default' }, 'phone')).toBe(true);
  expect(mayBind(token(['agents:write']), 'phone')).toBe(true);
  expect(mayBind(token(['agents:write'], { agentId: 'phone' }), 'phone')).toBe(true);
  expect(mayBind(token(['agents:write'], { agentId: 'Worker' }), 'phone')).toBe(false);
  expect(mayBind(token(['channels:read']), 'phone')).toBe(false);
  expect(mayBind({ type: 'node', workspace: 'default', nodeId: 'n' }, 'phone')).toBe(false);
});

test('who offered work may take it back, and the owner; nobody else', () => {
  const write: Scope[] = ['messages:write'];
  expect(mayTakeBack({ type: 'owner', workspace: 'default' }, 'Lead')).toBe(true);
  expect(mayTakeBack(token(write, { agentId: 'Lead' }), 'Lead')).toBe(true);
  expect(mayTakeBack(token(write, { agentId: 'Worker' }), 'Lead')).toBe(false);
  expect(mayTakeBack(token(['messages:read'], { agentId: 'Lead' }), 'Lead')).toBe(false);
  expect(mayTakeBack(token(write), 'Lead')).toBe(false);
  expect(mayTakeBack(undefined, 'Lead')).toBe(false);
});
