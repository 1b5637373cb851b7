import type { AgentEvent } from 'agent-relay-protocol';
import { expect, it } from 'vitest';
import { HookOccurrences } from './hook-occurrences.ts';

const started: AgentEvent = {
  type: 'tool.started',
  turnId: 't',
  itemId: 'i',
  kind: 'execute',
  name: 'Bash',
  title: 'make',
  input: { command: 'make' },
};
const completed = (outcome: 'succeeded' | 'failed' | 'declined'): AgentEvent => ({
  type: 'tool.completed',
  turnId: 't',
  itemId: 'i',
  outcome,
});
const asked: AgentEvent = {
  type: 'approval.requested',
  approvalId: 'a',
  itemId: 'i',
  kind: 'execute',
  title: 'make',
  options: [{ id: 'yes', label: 'Yes', outcome: 'allow' }],
};
const answered = (outcome: 'allowed' | 'denied' | 'cancelled'): AgentEvent => ({
  type: 'approval.resolved',
  approvalId: 'a',
  outcome,
  by: 'owner',
});

it.each([
  ['ran', [started, completed('succeeded')], 1],
  ['ran and failed', [started, completed('failed')], 1],
  ['was allowed and failed', [started, asked, answered('allowed'), completed('failed')], 1],
  ['was declined', [started, completed('declined')], 0],
  ['was denied, which its agent calls failed', [started, asked, answered('denied'), completed('failed')], 0],
  ['was asked about until nobody answered', [started, asked, answered('cancelled'), completed('failed')], 0],
])('a command that %s', (_what, events, times) => {
  const occurrences = new HookOccurrences();
  const found = events.flatMap((event) => occurrences.of(event)).filter(({ trigger }) => trigger === 'command_executed');
  expect(found).toHaveLength(times);
});

it('tells of a command in odd words', () => {
  const occurrences = new HookOccurrences();
  occurrences.of({ ...started, input: { command: ['make', { toString: 1 }, null] } });
  expect(occurrences.of(completed('succeeded'))[0]?.said['command']).toBe('make {"toString":1} null');
});
