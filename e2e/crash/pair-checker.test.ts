import type { RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { PairHistories } from './history.ts';
import { active, over, pairTold, pending, sent } from './made-up.ts';
import { findPairViolations } from './pair-checker.ts';

const said = (seq: number, turn: number, pairId = 1, from = 'a') => sent(seq, `${from} ${turn}`, { from, meta: { pairId } });
const log: readonly RelayEvent[] = [
  sent(1, 'a invites you', { from: 'a', kind: 'pair.invitation', meta: { pairId: 1 } }),
  pairTold(2, 'pair.requested', pending(1)),
  pairTold(3, 'pair.accepted', active(1)),
  said(4, 0),
  said(5, 3, 1, 'b'),
  said(6, 1),
  pairTold(7, 'pair.ended', over(1)),
  pairTold(9, 'pair.requested', pending(8)),
];
const kept: PairHistories = {
  steps: [
    { step: 'requested', pairId: 1, agentId: 'a' },
    { step: 'accepted', pairId: 1, agentId: 'b' },
    { step: 'ended', pairId: 1, agentId: 'a' },
    { step: 'requested', pairId: 8, agentId: 'a' },
  ],
  sayings: [
    { pairId: 1, from: 'a', id: 4, turn: 0 },
    { pairId: 1, from: 'b', id: 5, turn: 3 },
  ],
  left: [over(1), pending(8)],
};
const instead = (seq: number, ...events: RelayEvent[]) => log.flatMap((event) => (event.seq === seq ? events : [event]));

test('histories that keep every promise have no violation', () => {
  expect(findPairViolations(kept, log)).toEqual([]);
});

test.each<[string, Partial<PairHistories>, readonly RelayEvent[], string]>([
  [
    'an agent in two pairs',
    {},
    instead(4, pairTold(4, 'pair.requested', pending(5, { target: 'c' }))),
    'a is in the pairs 1 and 5 at once',
  ],
  [
    'a pair that is accepted after its end',
    {},
    [...log, pairTold(10, 'pair.accepted', active(1))],
    'pair 1 was ended and then pair.accepted',
  ],
  ['a pair that is accepted twice', {}, instead(4, pairTold(4, 'pair.accepted', active(1))), 'pair 1 was active and then pair.accepted'],
  ['a pair that is lost', { left: [pending(8)] }, log, 'pair 1, which a requested, is lost'],
  ['a pair that nobody was told of', {}, instead(2), 'pair 1, which a requested, is lost'],
  ['an acceptance that is lost', { left: [pending(1), pending(8)] }, instead(3), 'pair 1 was accepted by b, and nothing tells of it'],
  [
    'an accepted pair that was never accepted',
    { left: [over(1, null), pending(8)] },
    log,
    'pair 1 was accepted by b, and nothing tells of it',
  ],
  ['an end that is lost', { left: [active(1), pending(8)] }, instead(7), 'pair 1 was ended by a and is active'],
  [
    'a pair that outlives one of its sides',
    { steps: [...kept.steps, { step: 'left', pairId: 8, agentId: 'c' }] },
    log,
    'pair 8 was left by c and is pending',
  ],
  ['a pair that is not as it was told', { left: [active(1), pending(8)] }, log, 'pair 1 is not what the log told of it'],
  ['something said after the end', {}, [...log, said(10, 2)], 'a said turn 2 in pair 1, which was not active'],
  [
    'something said before the acceptance',
    {},
    instead(2, pairTold(2, 'pair.requested', pending(1)), said(2, 0)),
    'a said turn 0 in pair 1, which was not active',
  ],
  ['something stored twice', {}, instead(6, said(6, 0)), 'turn 0 of a is stored twice'],
  ['another order', {}, instead(4, said(4, 2)), 'turn 1 of a is stored after turn 2'],
  ['something said that is lost', {}, instead(5), 'turn 3 of b in pair 1 is lost: it was message 5'],
])('the checker sees %s', (_, broken, brokenLog, violation) => {
  expect(findPairViolations({ ...kept, ...broken }, brokenLog)).toContain(violation);
});
