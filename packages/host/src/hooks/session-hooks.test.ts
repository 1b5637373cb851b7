import { type AgentEvent, ANSWERED_AT_ONCE_MS, type ConfiguredHook } from 'agent-relay-protocol';
import { silentLog } from 'agent-relay-wire';
import { expect, test, vi } from 'vitest';
import { Hooks } from './hooks.ts';
import { SessionHooks } from './session-hooks.ts';

const hook: ConfiguredHook = {
  name: 'tell',
  agents: '*',
  trigger: 'approval_needed',
  action: { type: 'relay', relay: 'Lead', body: `\${approval}` },
};

const asked = (approvalId: string): AgentEvent => ({
  type: 'approval.requested',
  approvalId,
  kind: 'execute',
  title: 'npm test',
  options: [{ id: 'allow', label: 'Allow', outcome: 'allow' }],
});
const answered = (approvalId: string, by: string): AgentEvent => ({ type: 'approval.resolved', approvalId, outcome: 'allowed', by });

test('a hook tells of a question that a person is needed for: not of one that a rule answers, or that ends with its session', async () => {
  vi.useFakeTimers();
  try {
    const sent: string[] = [];
    const sessionHooks = new SessionHooks({
      hooks: new Hooks({ current: () => [hook], env: () => ({}), now: () => 0, log: silentLog }),
      session: {
        ...{ agentId: 'Worker', sessionId: 's', provider: 'codex', cwd: '/w' },
        send: async ({ body }) => {
          sent.push(body);
          return { matched: 1 };
        },
        allow: async () => true,
      },
      record: () => {},
      feedBack: () => {},
    });
    for (const event of [asked('ruled'), asked('open'), answered('ruled', 'rule:7')]) sessionHooks.observe(event);
    await vi.advanceTimersByTimeAsync(ANSWERED_AT_ONCE_MS - 1);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    sessionHooks.observe(answered('open', 'owner'));
    sessionHooks.observe(asked('last'));
    sessionHooks.observe({ type: 'session.ended', reason: 'closed' });
    await vi.advanceTimersByTimeAsync(ANSWERED_AT_ONCE_MS);
    expect(sent).toEqual(['open']);
  } finally {
    vi.useRealTimers();
  }
});
