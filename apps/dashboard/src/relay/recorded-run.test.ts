import { expect, test } from 'vitest';
import { readShownRun } from './recorded-run.ts';

const header = '{"type":"run","version":1,"agents":[]}';
const message = '{"type":"message","at":5,"message":{"id":1,"from":"Ann","to":"id:Bob","createdAt":5,"body":"Hello"}}';

test('what was said in a recorded run is read, whatever else is in it', () => {
  const text = [header, message, '{"type":"receipt"}', '{"type":"of a later version"}', ''].join('\n');
  expect(readShownRun(text)).toEqual({ said: [{ from: 'Ann', to: 'id:Bob', createdAt: 5 }], steps: [] });
});

test.each([
  ['', 'validation_failed', 'line 1'],
  ['no run', 'validation_failed', 'line 1'],
  ['null', 'validation_failed', 'line 1'],
  [message, 'validation_failed', 'line 1'],
  [`${header}\n{"type":`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"message"}`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"message","message":{"from":{"toString":1},"to":"x","createdAt":1}}`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"message","message":{"from":"Ann","to":"x","createdAt":8640000000000001}}`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"message","message":{"from":"Ann","to":"x","createdAt":-9e15}}`, 'validation_failed', 'line 2'],
  [
    `${header}\n{"type":"task","task":{"id":1,"title":"t"},"history":[{"type":"task.created","at":-1,"by":"x"}]}`,
    'validation_failed',
    'line 2',
  ],
  [`${header}\n{"type":"claim"}`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"approval","approval":null}`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"pair","pair":{}}`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"reservation"}`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"rule","rule":{"name":"x","createdAt":1}}`, 'validation_failed', 'line 2'],
  ['{"type":"run","version":4}', 'unsupported', 'version'],
])('%j is no run: %s', (text, code, words) => {
  expect(() => readShownRun(text)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) }));
});

test('what was done with tasks, claims and questions is read in the order of time', () => {
  const run = [
    { type: 'run', version: 2, agents: [] },
    {
      type: 'task',
      task: { id: 7, title: 'Disk full' },
      history: [
        { type: 'task.created', at: 1, by: 'integration:ops' },
        { type: 'task.claimed', at: 4, by: 'Ann' },
        { type: 'task.completed', at: 9, by: 'Ann' },
        { type: 'task.of_a_later_version', at: 10, by: 'Ann' },
      ],
    },
    { type: 'claim', claim: { agentId: 'Bob', subjectId: 3, claimedAt: 2, endedAt: 6, status: 'completed' } },
    { type: 'approval', approval: { agentId: 'Bob', title: 'npm test', requestedAt: 3, status: 'allowed', resolvedAt: 5 } },
    { type: 'approval', approval: { agentId: 'Ann', title: 'rm -rf x', requestedAt: 8, status: 'pending', resolvedAt: null } },
  ];
  const { steps } = readShownRun(run.map((line) => JSON.stringify(line)).join('\n'));
  expect(steps.map(({ at, agentId, words }) => `${at} ${agentId} ${words}`)).toEqual([
    '1 integration:ops reports task 7, Disk full',
    '2 Bob takes message 3',
    '3 Bob asks a person: npm test',
    '4 Ann takes task 7, Disk full',
    '5 Bob is allowed: npm test',
    '6 Bob has done message 3',
    '8 Ann asks a person: rm -rf x',
    '9 Ann has done task 7, Disk full',
    '10 Ann task.of_a_later_version task 7, Disk full',
  ]);
});

test('pairs, reservations and standing rules are read with who began and ended them', () => {
  const run = [
    { type: 'run', version: 3, agents: [] },
    {
      type: 'pair',
      pair: { id: 5, requester: 'Ann', target: 'Bob', status: 'ended', requestedAt: 1, acceptedAt: 2, endedAt: 6, endedBy: 'Ann' },
    },
    { type: 'pair', pair: { id: 9, requester: 'Bob', target: 'Ann', status: 'rejected', requestedAt: 7, endedAt: 8 } },
    { type: 'reservation', reservation: { agentId: 'Ann', folder: '/work', patterns: ['src/', '*.md'], createdAt: 3, endedAt: null } },
    { type: 'rule', rule: { agent: null, tag: 'ci', name: 'npm test in /work', createdAt: 4, endedAt: 5 } },
  ];
  const { steps } = readShownRun(run.map((line) => JSON.stringify(line)).join('\n'));
  expect(steps.map(({ at, agentId, words }) => `${at} ${agentId} ${words}`)).toEqual([
    '1 Ann invites Bob to pair 5',
    '2 Bob accepts pair 5',
    '3 Ann reserves src/, *.md in /work',
    '4 tag:ci may from now on: npm test in /work',
    '5 tag:ci may no longer: npm test in /work',
    '6 Ann ends pair 5',
    '7 Bob invites Ann to pair 9',
    '8 Ann declines pair 9',
  ]);
});
