import type { Approval } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { isNamedByCommand, optionsOf, outcomeOf, partsOf, visible } from './approval-words.ts';

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

test('what a part is of is known where the file stands beside it', () => {
  expect(partsOf({ file_path: '/a.ts', old_string: 'x', note: 'y' }).map(({ file }) => file)).toEqual([undefined, '/a.ts', undefined]);
  const changes = ['/a.ts', '/b.py'].map((path) => ({ path, diff: '+x' }));
  expect(
    partsOf({ changes })
      .filter(({ look }) => look === 'diff')
      .map(({ file }) => file),
  ).toEqual(['/a.ts', '/b.py']);
});

test('a title that is the command and nothing else says nothing besides it', () => {
  expect(isNamedByCommand({ title: 'make deploy', input: { command: 'make deploy', description: 'Ships it' } })).toBe(true);
  expect(isNamedByCommand({ title: 'Bash: make deploy', input: { command: 'make deploy' } })).toBe(false);
  expect(isNamedByCommand({ title: 'x', input: { file_path: 'x' } })).toBe(false);
  expect(isNamedByCommand({ title: 'x', input: undefined })).toBe(false);
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

test('what there is to press: every yes, a no that may say why, and other ways to say no', () => {
  expect(optionsOf({})).toEqual({
    yes: [{ id: 'allow', label: 'Allow once', outcome: 'allow' }],
    mainYes: { id: 'allow', label: 'Allow once', outcome: 'allow' },
    plainNo: { id: 'deny', label: 'Deny', outcome: 'deny' },
    otherNos: [],
  });
  const options = [
    { id: 'y', label: 'Yes', outcome: 'allow' as const },
    { id: 'yy', label: 'Always', outcome: 'allow_always' as const },
    { id: 'stop', label: 'Stop', outcome: 'cancel' as const },
    { id: 'n', label: 'No', outcome: 'deny' as const },
  ];
  expect(optionsOf({ options })).toEqual({
    yes: options.slice(0, 2),
    mainYes: options[0],
    plainNo: options[3],
    otherNos: [options[2]],
  });
  const [once, always] = options;
  if (!once || !always) throw new Error('two of them allow');
  expect(optionsOf({ options: [always, once] }).mainYes).toBe(once);
  expect(optionsOf({ options: [always] }).mainYes).toBe(always);
  expect(optionsOf({ options: options.slice(0, 1) }).plainNo).toMatchObject({ outcome: 'deny' });
});

test('an answer shows which option it was, what was answered, and what ran instead', () => {
  const options = [{ id: 's', label: 'Until the session ends', outcome: 'allow_session' as const }];
  const form = [{ id: 'q', text: 'Which?', choices: [], allowsText: true }];
  const answered = { optionId: 's', options, form, answers: { q: ['Red'] }, updatedInput: { command: 'ls' } };
  const about = { approvalId: 'a', agentId: 'Worker', sessionId: 's', kind: 'other' as const, title: 'Choose', requestedAt: 1 };
  const approval = { ...about, ...answered, status: 'allowed' as const, resolvedAt: 2, by: 'owner', message: 'go' };
  expect(outcomeOf(approval)).toMatchObject({
    words: 'allowed by owner',
    detail: expect.stringMatching(/^Until the session ends, instead \{\s+"command": "ls"\s+\}; Which\? Red; go$/u),
  });
});
