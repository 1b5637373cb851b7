import { expect, test } from 'vitest';
import type { LedgerLine } from './history.ts';
import { findNodeViolations } from './node-checker.ts';

const line = (session: string, ...messageIds: readonly number[]): LedgerLine => ({ agent: 'clerk', session, messageIds });
const sends = [1, 2, 3].map((id) => ({ agent: 'clerk', id }));
const find = (ledger: readonly LedgerLine[], unseen: readonly number[] = []) =>
  findNodeViolations({ sends, ledger, unseen: unseen.map((id) => ({ agent: 'clerk', id })) });

test.each<[string, readonly LedgerLine[]]>([
  ['one session', [line('a', 1), line('a', 2, 3)]],
  ['a machine that died between turns', [line('a', 1), line('b', 2), line('b', 3)]],
  ['a machine that died in a turn, which its next session had again', [line('a', 1), line('a', 2), line('b', 2), line('b', 3)]],
])('nothing is wrong with %s', (_what, ledger) => {
  expect(find(ledger)).toEqual([]);
});

test.each<[string, readonly LedgerLine[], readonly string[]]>([
  ['mail that is lost', [line('a', 1), line('a', 3)], ['clerk never read message 2']],
  ['mail that is doubled', [line('a', 1, 2), line('a', 2, 3)], ['clerk read message 2 twice in one session']],
  ['another order', [line('a', 2), line('a', 1, 3)], ['clerk read message 1 after message 2']],
  [
    'a turn that had ended and is had again',
    [line('a', 1), line('a', 2), line('b', 1), line('b', 3)],
    ['clerk read message 1 again though the session that had read it went on'],
  ],
  ['mail that nobody sent', [line('a', 1, 2, 3, 4)], ['clerk read message 4, which nobody sent it']],
])('%s is found', (_what, ledger, violations) => {
  expect(find(ledger)).toEqual(violations);
});

test('a receipt that stays behind is found', () => {
  expect(find([line('a', 1, 2, 3)], [2])).toEqual(['message 2 is not told of as seen by clerk']);
});
