import type { Approval } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { outcomeOf, partsOf, visible } from './approval-words.ts';

test('a command comes first, what explains it after it', () => {
  expect(partsOf({ description: 'Runs the tests', command: 'npm test' })).toEqual([
    { name: null, text: 'npm test', look: 'command' },
    { name: 'description', text: 'Runs the tests', look: 'plain' },
  ]);
});

test('an edit shows what goes and what comes, and changes of files are told one by one', () => {
  expect(partsOf({ file_path: '/a', old_string: 'x', new_string: 'y' }).map(({ name, look }) => [name, look])).toEqual([
    ['file path', 'plain'],
    ['old string', 'removed'],
    ['new string', 'added'],
  ]);
  expect(partsOf({ changes: [{ path: '/a', change: 'update', moveTo: null, diff: '+x' }] }).map(({ name, text }) => [name, text])).toEqual([
    ['path', '/a'],
    ['change', 'update'],
    ['diff', '+x'],
  ]);
});

test('whatever else an agent asks is shown whole', () => {
  expect(partsOf('cut…')).toEqual([{ name: null, text: 'cut…', look: 'plain' }]);
  expect(partsOf({ tool: 'drop', arguments: { table: 'all' } }).at(-1)?.text).toBe('{\n  "table": "all"\n}');
  expect(partsOf([1, null])[0]?.text).toBe('[\n  1,\n  null\n]');
});

test('signs that hide or turn around what a person reads are told by their number', () => {
  expect(visible('a\u202eb\u200bc\u001bd\te\nf\u2028g')).toBe('a\\u{202e}b\\u{200b}c\\u{001b}d\te\nf\\u{2028}g');
});

test('who answered is told, and when nobody did, why there is no answer', () => {
  const told = (status: 'allowed' | 'denied' | 'cancelled', by: string): string => {
    const base = { approvalId: 'a', agentId: 'W', sessionId: 's', kind: 'execute', title: 't', requestedAt: 1, resolvedAt: 2 } as const;
    const approval: Exclude<Approval, { status: 'pending' }> = { ...base, status, by, message: null };
    return outcomeOf(approval).words;
  };
  expect([
    told('allowed', 'owner'),
    told('allowed', 'person:anna'),
    told('denied', 'token:phone'),
    told('denied', 'timeout'),
    told('cancelled', 'session'),
  ]).toEqual([
    'allowed by owner',
    'allowed by person:anna',
    'denied by token:phone',
    'not allowed: nobody answered in time',
    'withdrawn before anybody answered',
  ]);
});
