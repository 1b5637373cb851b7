import type { RelayEvent } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { aboutOf } from './about.ts';

test('an event is told by what it is about, and by what it carries', () => {
  const read = { type: 'message.read', seq: 1, at: 1, messageId: 9, agentId: 'Lead' } as const;
  expect(aboutOf(read)).toBe('messageId 9 · agentId Lead');
  const ended = { type: 'agent.stalled', seq: 2, at: 2, agentId: 'Worker', waiting: 3, oldestAt: 1 } as const;
  expect(aboutOf(ended)).toBe('agentId Worker');
  const agent = { id: 'Worker', nodeId: 'n1', sessionId: 's1', name: 'Worker', label: null, status: 'busy' };
  // Only what the line is made of.
  const changed = { type: 'agent.status', seq: 3, at: 3, agent } as unknown as RelayEvent;
  expect(aboutOf(changed)).toBe('nodeId n1 · sessionId s1 · id Worker · name Worker · status busy');
});
