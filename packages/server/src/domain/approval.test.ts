import type { Approval, Principal, Session } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { assertMayAnswer, assertPending, followApproval } from './approval.ts';

const session: Session = {
  sessionId: 's1',
  agentId: 'Worker',
  nodeId: 'local',
  provider: 'claude',
  instanceId: 'i',
  epoch: 1,
  status: 'running',
  mode: 'agentic',
  ask: false,
  cwd: '/srv',
  model: null,
  spawnedBy: null,
  startedAt: 1,
  endedAt: null,
  reason: null,
  vendorSessionId: null,
  sandbox: 'none',
  sandboxReason: null,
};
const options = [{ id: 'allow', label: 'Allow', outcome: 'allow' as const }];
const asked = {
  type: 'approval.requested',
  approvalId: 'a1',
  kind: 'execute',
  title: 'Bash: ls',
  input: { command: 'ls' },
  options,
} as const;
const answered = { type: 'approval.resolved', approvalId: 'a1', outcome: 'denied', by: 'timeout', message: 'too late' } as const;

describe('what a session says of an approval', () => {
  const pending = followApproval(asked, session, null, 5);

  test('makes one that is pending, and its answer the end of it', () => {
    expect(pending).toEqual({
      approvalId: 'a1',
      agentId: 'Worker',
      sessionId: 's1',
      kind: 'execute',
      title: 'Bash: ls',
      input: { command: 'ls' },
      options,
      requestedAt: 5,
      status: 'pending',
      resolvedAt: null,
      by: null,
      message: null,
    });
    expect(followApproval(answered, session, pending, 9)).toEqual({
      ...pending,
      status: 'denied',
      resolvedAt: 9,
      by: 'timeout',
      message: 'too late',
    });
  });

  test('asks nobody when it has no options, when its session is over, or when it was asked before', () => {
    expect(followApproval({ ...asked, options: [] }, session, null, 5)).toBeNull();
    expect(followApproval(asked, { ...session, status: 'ended' }, null, 5)).toBeNull();
    expect(followApproval(asked, session, pending, 6)).toBeNull();
  });

  test('changes nothing that was answered, or that nobody knows', () => {
    const allowed: Approval | null = pending && { ...pending, status: 'allowed', resolvedAt: 6, by: 'owner', message: null };
    expect(followApproval(answered, session, allowed, 9)).toBeNull();
    expect(followApproval(answered, session, null, 9)).toBeNull();
    expect(() => allowed && assertPending(allowed)).toThrow(
      expect.objectContaining({ code: 'already_resolved', details: { status: 'allowed', by: 'owner', resolvedAt: 6 } }),
    );
  });

  test('keeps an input that is too long for the log as a text that says so', () => {
    const long = followApproval({ ...asked, input: { content: 'x'.repeat(20_000) } }, session, null, 5);
    expect(long?.input).toMatch(/^\{"content":"x+… 3630 more characters/u);
  });
});

describe('an answer', () => {
  const grant = { scopes: ['sessions:write' as const], targets: null, channels: null };
  const token = { type: 'token', workspace: 'w', tokenId: 't', name: 'phone', kind: 'scoped', ...grant } as const;
  test.each<[string, Principal]>([
    ['the owner', { type: 'owner', workspace: 'w' }],
    ["a person's program that was given it", { ...token, agentId: null, scopes: ['approvals:write'] }],
  ])('may come from %s', (_, principal) => {
    expect(() => assertMayAnswer(principal)).not.toThrow();
  });

  test.each<[string, Principal]>([
    ['an agent', { type: 'agent', workspace: 'w', agentId: 'Lead', epoch: 1 }],
    ['a token that speaks for an agent', { ...token, agentId: 'Lead' }],
    ['a machine', { type: 'node', workspace: 'w', nodeId: 'n' }],
    ['an integration', { type: 'integration', workspace: 'w', name: 'ops', ...grant }],
    ['nobody in particular', { type: 'anonymous', workspace: 'w' }],
  ])('never comes from %s', (_, principal) => {
    expect(() => assertMayAnswer(principal)).toThrow(expect.objectContaining({ code: 'forbidden' }));
  });
});
