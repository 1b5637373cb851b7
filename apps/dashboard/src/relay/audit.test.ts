import type { AuditEntry } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { isApart, mergeEntries } from './audit.ts';
import { readAuditFilter } from './audit-filter.ts';

const entry = (id: number): AuditEntry => ({
  id,
  at: id,
  by: 'owner',
  tokenId: null,
  action: 'sessions/start',
  subject: 'Worker',
  details: {},
  hash: '',
});
const entries = (...ids: number[]) => ids.map(entry);

test('the newest page stands above what was read, once', () => {
  expect(mergeEntries(entries(5, 4), entries(4, 3)).map(({ id }) => id)).toEqual([5, 4, 3]);
});

test('a newest page that does not reach what was read is told', () => {
  expect([
    isApart(entries(3, 2), entries(5, 4)),
    isApart(entries(3, 2), entries(4, 3)),
    isApart([], entries(1)),
    isApart(entries(1), []),
  ]).toEqual([true, false, true, false]);
});

test('an address narrows it, and what is no word is left out', () => {
  expect(readAuditFilter({ action: ' sessions/start ', by: 'owner' })).toEqual({ action: 'sessions/start', by: 'owner' });
  expect(readAuditFilter({ action: '', by: { toString: 1 } })).toEqual({});
});
