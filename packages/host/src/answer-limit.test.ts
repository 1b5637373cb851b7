import type { AgentEvent } from 'agent-relay-protocol';
import type { ApprovalDecision } from 'agent-relay-provider';
import { describe, expect, test } from 'vitest';
import { type AnswerLimit, assertAnswerWithin } from './answer-limit.ts';

const asked: Extract<AgentEvent, { type: 'approval.requested' }> = {
  ...{ type: 'approval.requested', turnId: 't', approvalId: 'a', kind: 'execute', title: 'npm test', isEditable: true },
  options: [
    { id: 'once', label: 'Once', outcome: 'allow' },
    { id: 'session', label: 'For the session', outcome: 'allow_session' },
    { id: 'always', label: 'For ever', outcome: 'allow_always' },
    { id: 'no', label: 'No', outcome: 'deny' },
  ],
};

const answers: readonly (readonly [string, Omit<ApprovalDecision, 'by'>])[] = [
  ['a no', { outcome: 'deny' }],
  ['a no by its option', { outcome: 'deny', optionId: 'no' }],
  ['a yes', { outcome: 'allow' }],
  ['a yes to another input', { outcome: 'allow', updatedInput: { command: 'rm x' } }],
  ['a yes for the session', { outcome: 'allow', optionId: 'session' }],
  ['a yes for ever', { outcome: 'allow', optionId: 'always' }],
];

/** Which of them pass. */
const passing = (upTo: AnswerLimit['upTo']) =>
  answers.flatMap(([name, answer]) => {
    try {
      assertAnswerWithin({ upTo, because: 'node.yaml line 3 (answers)' }, asked, { ...answer, by: 'owner' });
      return [name];
    } catch (error) {
      expect(error).toMatchObject({ code: 'forbidden', message: expect.stringMatching(/^node\.yaml line 3 \(answers\): ./u) });
      return [];
    }
  });

describe('an answer from elsewhere goes', () => {
  const noes = ['a no', 'a no by its option'];

  test('no further than a no, where the owner allows none', () => expect(passing('none')).toEqual(noes));
  test('to what was asked, as it was asked, where it may once', () => expect(passing('once')).toEqual([...noes, 'a yes']));
  test('to all but what is kept for ever, where it may for the session', () =>
    expect(passing('session')).toEqual([...noes, 'a yes', 'a yes to another input', 'a yes for the session']));

  test('nowhere by an option that says less than it does', () => {
    const limit = { upTo: 'once', because: 'x' } as const;
    expect(() => assertAnswerWithin(limit, asked, { outcome: 'deny', optionId: 'always', by: 'owner' })).toThrow(
      expect.objectContaining({ code: 'validation_failed' }),
    );
    expect(() => assertAnswerWithin(limit, asked, { outcome: 'allow', forSession: true, by: 'owner' })).toThrow(
      expect.objectContaining({ code: 'forbidden' }),
    );
  });
});
