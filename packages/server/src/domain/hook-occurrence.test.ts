import { type HookTrigger, type RelayEvent, relayTriggers } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { exampleOfOccurrence, hookOccurrence } from './hook-occurrence.ts';

const session = { agentId: 'Worker', provider: 'codex', sessionId: 's', cwd: '/work', model: 'gpt-5', reason: 'closed' };
const task = (status: string, claimedBy: string | null) => ({ id: 7, title: 'Fix the build', status, source: 'ci', claimedBy });

/** What the log tells where each of them is set off. */
const events: Readonly<Record<(typeof relayTriggers)[number], object>> = {
  spawned: { type: 'session.started', session },
  released: { type: 'session.ended', session },
  approval_needed: { type: 'approval.requested', approval: { agentId: 'Worker', approvalId: 'a', kind: 'execute', title: 'npm publish' } },
  message_received: {
    type: 'message.new',
    message: { id: 42, to: 'id:Worker', from: 'Lead', kind: 'chat', body: 'Please look', sender: {} },
  },
  stalled: { type: 'agent.stalled', agentId: 'Worker', waiting: 1, detail: 'It does not take its mail: 1 waiting' },
  task_created: { type: 'task.created', task: task('open', null) },
  task_claimed: { type: 'task.claimed', task: task('claimed', 'Worker') },
  task_completed: { type: 'task.completed', task: task('done', 'Worker') },
  task_failed: { type: 'task.failed', task: task('failed', 'Worker') },
  task_canceled: { type: 'task.canceled', task: task('canceled', 'Worker') },
};

/** What is said, what is not, and how a task stands. */
const shape = ({ agent, status, ...fields }: Readonly<Record<string, string>>) => ({
  ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value !== ''])),
  agent,
  status,
});

test.each<HookTrigger>(relayTriggers)('a trial of %s says what comes when it happens', (trigger) => {
  const event = events[trigger as keyof typeof events] as RelayEvent; // as far as hooks read one
  const occurrence = hookOccurrence(event);
  expect(occurrence?.trigger).toBe(trigger);
  expect(shape(exampleOfOccurrence(trigger))).toEqual(shape(occurrence?.fields ?? {}));
});
