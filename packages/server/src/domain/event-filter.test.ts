import type { RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { type FilterCriteria, matchesFilter } from './event-filter.ts';
import { unread } from './event-readers.ts';

/** Reads everything that is said, and is not the owner. */
const observer: FilterCriteria = {
  readsAll: true,
  readsAs: () => true,
  mayRead: () => true,
  mayReadTask: () => true,
  mayReadHold: () => true,
  mayReadPair: () => true,
  seesTokens: false,
  seesApprovalsOf: () => false,
  mayWatch: () => true,
};
const owner: FilterCriteria = { ...observer, seesTokens: true, seesApprovalsOf: () => true };

const told = { seq: 1, at: 0 };
const asked = { agentId: 'a', approvalId: 'q' };
// Of each what its row of the table looks at.
const events = [
  { ...told, type: 'token.created', token: { agentId: null } },
  { ...told, type: 'approval.requested', approval: asked },
  { ...told, type: 'rule.created', rule: { agentId: 'a' } },
  { ...told, type: 'hook.completed', agentId: 'a', hook: 'tell', outcome: 'failed', detail: 'https://ci.example answered 500' },
] as unknown as readonly RelayEvent[];

test.each(events.map((event) => [event.type, event] as const))(
  '%s is for whom the table names, whatever else a reader may read and asks for',
  (_type, event) => {
    for (const asks of [{}, { for: 'a' }, { types: [event.type] }]) {
      expect([asks, matchesFilter(event, { ...observer, ...asks }, unread, null)]).toEqual([asks, false]);
    }
    expect(matchesFilter(event, owner, unread, null)).toBe(true);
  },
);

test('who reads everything has what is read by its message without looking at that', () => {
  const read = { ...told, type: 'message.read', messageId: 7, agentId: 'a' } as const;
  expect(matchesFilter(read, observer, unread, null)).toBe(true);
});
