import type { Delivery } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { toneOf } from './receipt-list.tsx';

const receipt = (state: Delivery['state'], reason: string | null): Delivery => ({
  messageId: 1,
  agentId: 'Worker',
  state,
  evidence: 'turn',
  late: false,
  reason,
  updatedAt: 1,
});

test('a receipt of an agent that died of the message is not green, whatever it had confirmed', () => {
  expect(toneOf('seen', [receipt('seen', null)])).toBe('text-good');
  expect(toneOf('seen', [receipt('seen', null), receipt('seen', 'its process died in that turn')])).toBe('text-warn');
  expect(toneOf('failed', [receipt('failed', 'it was removed')])).toBe('text-bad');
});
