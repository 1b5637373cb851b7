import { expect, test } from 'vitest';
import { findViolations } from './checker.ts';
import type { Histories } from './history.ts';
import { sent } from './made-up.ts';

const kept: Histories = {
  sends: [
    { key: 'a', id: 1, body: 'a' },
    { key: 'b', id: 3, body: 'b' },
  ],
  inboxes: new Map([
    [
      'reader',
      [
        { step: 'received', id: 1 },
        { step: 'received', id: 1 },
        { step: 'acknowledged', id: 1 },
        { step: 'received', id: 3 },
      ],
    ],
  ]),
  completions: [
    { subjectId: 3, fence: 2, racer: 'x' },
    { subjectId: 3, fence: 2, racer: 'x' },
  ],
  readers: new Map([['follower', { from: 1, events: [sent(3, 'b')] }]]),
  log: [sent(1, 'a'), sent(3, 'b')],
};

test('histories that keep every promise have no violation', () => {
  expect(findViolations(kept)).toEqual([]);
});

test.each<[string, Partial<Histories>, string]>([
  ['a lost message', { log: [sent(1, 'a')], readers: new Map() }, 'acknowledged message 3 (b) is lost'],
  ['a changed message', { log: [sent(1, 'a'), sent(3, 'c')] }, 'acknowledged message 3 (b) is changed'],
  ['a message stored twice', { log: [sent(1, 'a'), sent(3, 'b'), sent(4, 'b')], readers: new Map() }, 'message b is stored 2 times'],
  [
    'mail handed over after its acknowledgement',
    {
      inboxes: new Map([
        [
          'reader',
          [
            { step: 'acknowledged', id: 1 },
            { step: 'received', id: 1 },
          ],
        ],
      ]),
    },
    'reader was given message 1 again after its acknowledgement was accepted',
  ],
  [
    'work completed by two',
    {
      completions: [
        { subjectId: 3, fence: 1, racer: 'x' },
        { subjectId: 3, fence: 2, racer: 'y' },
      ],
    },
    'work 3 was completed twice: by x under fence 1 and by y under fence 2',
  ],
  [
    'a doubled event',
    { readers: new Map([['follower', { from: 0, events: [sent(1, 'a'), sent(1, 'a')] }]]) },
    'follower was given message.new at 1 where the log has message.new at 3',
  ],
  [
    'a skipped event',
    { readers: new Map([['follower', { from: 0, events: [sent(3, 'b')] }]]) },
    'follower was given message.new at 3 where the log has message.new at 1',
  ],
  [
    'a stream that ended early',
    { readers: new Map([['follower', { from: 0, events: [sent(1, 'a')] }]]) },
    'follower stopped 1 events before the end of the log',
  ],
])('the checker sees %s', (_, broken, violation) => {
  expect(findViolations({ ...kept, ...broken })).toContain(violation);
});
