import type { AgentEvent, Pair, RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { describeActivity } from './describe-activity.ts';
import { describeEvent } from './resources.ts';

const at = { seq: 1, at: 0 };
const pair = { id: 5, requester: 'A', target: 'B', objective: 'Talk', requestedAt: 0, status: 'paused' } as unknown as Pair; // of a later version

// What a later version says is of none of these types: that is what is tested.
const shown = (event: object) => describeEvent(event as RelayEvent)?.replace(/^\S+ {2}/u, '') ?? null;
const done = (event: object) =>
  describeActivity({ id: 1, agentId: 'Worker', sessionId: 's', seq: 1, at: 0, late: false, event: event as AgentEvent })?.replace(
    /^.*Worker {2}/u,
    '',
  ) ?? null;

test('a person beside the owner is named as one', () => {
  const token = { tokenId: 't', name: 'ci', kind: 'scoped' };
  expect(shown({ type: 'token.created', ...at, token, by: 'person:anna' })).toBe('token ci (scoped) created by person:anna');
});

test('what only a later relay tells is no line, and a word that only it knows is shown', () => {
  expect([
    shown({ type: 'agent.dreamt', ...at }),
    shown({ type: 'pair.ended', ...at, pair }),
    shown({ type: 'delivery.seen', ...at, messageId: 1, agentId: 'B', state: 'pondered', evidence: 'nod', late: false, reason: null }),
  ]).toEqual([null, 'pair 5 of A and B is paused', '[msg:1] pondered at B (nod)']);
  expect([done({ type: 'turn.dreamt', turnId: 't' }), done({ type: 'turn.completed', turnId: 't', outcome: 'postponed' })]).toEqual([
    null,
    'turn postponed',
  ]);
});
