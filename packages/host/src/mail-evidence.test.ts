import type { AgentEvent } from 'agent-relay-protocol';
import { expect, it } from 'vitest';
import { MailEvidence } from './mail-evidence.ts';

const has = (messageId: number): AgentEvent => ({ type: 'input.accepted', messageId, evidence: 'echo', state: 'delivered' });
const saw = (messageId: number): AgentEvent => ({ type: 'input.accepted', messageId, evidence: 'echo', state: 'seen' });
const done: AgentEvent = { type: 'turn.completed', turnId: 't1', outcome: 'finished' };
const failed = (code: string): AgentEvent => ({
  type: 'turn.failed',
  turnId: 't1',
  error: { code, message: 'no answer', retryable: true },
});
const lost: AgentEvent = { type: 'session.ended', reason: 'lost', detail: 'gone' };

/** Whose receipts get a reason beside them, and which. */
const reasons = (...events: readonly AgentEvent[]) => {
  const evidence = new MailEvidence();
  const reports = events.flatMap((event) => evidence.observe(event));
  return reports.flatMap(({ messageId, state, reason }) => (reason === undefined ? [] : [[messageId, state, reason]]));
};

const unread = 'The session ended before there was a sign that the agent had read this';
const unfinished = "The agent's process ended while it worked on this";

it('what the runtime had and no turn took up is told with the end of the session', () => {
  expect(reasons(has(1), saw(1), done, has(2), lost)).toEqual([[2, 'delivered', `${unread}: gone`]]);
  expect(reasons(has(1), { type: 'session.ended', reason: 'closed' })).toEqual([[1, 'delivered', `${unread}: closed`]]);
});

it('what came in while another turn ended, or with one that failed before the model spoke, still waits', () => {
  expect(reasons(has(1), saw(1), has(2), done, lost)).toEqual([[2, 'delivered', `${unread}: gone`]]);
  expect(reasons(has(1), failed('overloaded'), lost)).toEqual([[1, 'delivered', `${unread}: gone`]]);
  expect(reasons(has(1), failed('overloaded'), saw(1), done, lost)).toEqual([]);
});

it('what a turn worked on that died is told once, with what was not read in it', () => {
  expect(reasons(saw(1), has(2), failed('agent_lost'), lost)).toEqual([
    [1, 'seen', `${unfinished}: no answer`],
    [2, 'delivered', `${unread}: no answer`],
  ]);
});

it('of a session whose turn nobody ended, as its process was killed, each is told', () => {
  expect(reasons(saw(1), done, saw(2), has(3), lost)).toEqual([
    [2, 'seen', `${unfinished}: gone`],
    [3, 'delivered', `${unread}: gone`],
  ]);
});
