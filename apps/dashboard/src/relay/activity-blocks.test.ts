import type { ActivityEntry, AgentEvent } from 'agent-relay-client';
import { expect, test } from 'vitest';
import type { ActivityBlock } from './activity-blocks.ts';
import { ActivityFold } from './activity-fold.ts';

const entry = (event: AgentEvent, seq = 1, id = seq): ActivityEntry => ({
  id,
  agentId: 'Worker',
  sessionId: 's',
  seq,
  at: 5,
  late: false,
  event,
});
const fold = (...events: readonly AgentEvent[]): readonly ActivityBlock[] => {
  const folded = new ActivityFold();
  for (const [index, event] of events.entries()) folded.append([entry(event, index + 1)]);
  return folded.list();
};

test('deltas grow one text and the completed text replaces them', () => {
  const item = { turnId: 't', itemId: 'i' };
  expect(fold({ type: 'text.delta', ...item, text: 'Hel' }, { type: 'text.delta', ...item, text: 'lo' })).toEqual([
    { key: 's:item:i', at: 5, turnId: 't', kind: 'text', text: 'Hello', isStreaming: true },
  ]);
  expect(fold({ type: 'text.delta', ...item, text: 'Hel' }, { type: 'text.completed', ...item, text: 'Hello.' })).toEqual([
    { key: 's:item:i', at: 5, turnId: 't', kind: 'text', text: 'Hello.', isStreaming: false },
  ]);
});

test('a delta that comes after its completed text changes nothing', () => {
  const item = { turnId: 't', itemId: 'i' };
  const completed: AgentEvent = { type: 'text.completed', ...item, text: 'Hello.' };
  expect(fold(completed, { type: 'text.delta', ...item, text: 'Hel' })).toEqual(fold(completed));
});

test('a tool runs until it is completed and keeps its output', () => {
  const item = { turnId: 't', itemId: 'i' };
  const started: AgentEvent = { type: 'tool.started', ...item, name: 'Bash', kind: 'execute', title: 'ls' };
  expect(fold(started)).toMatchObject([{ kind: 'tool', outcome: 'running', output: '' }]);
  expect(fold(started, { type: 'tool.updated', ...item, output: 'a\n' }, { type: 'tool.updated', ...item, output: 'b\n' })).toMatchObject([
    { output: 'a\nb\n', outcome: 'running' },
  ]);
  expect(fold(started, { type: 'tool.completed', ...item, outcome: 'failed', output: 'no' })).toMatchObject([
    { output: 'no', outcome: 'failed' },
  ]);
});
