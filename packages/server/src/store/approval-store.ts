import type { Approval, ApprovalStatus } from 'agent-relay-protocol';
import type { Page } from '../domain/change.ts';
import type { Decision, Facts, QuestionFacts } from '../domain/facts.ts';
import type { Asked } from './asked.ts';
import type { Counted } from './counted.ts';

export interface ApprovalQuery extends Asked {
  readonly workspace: string;
  readonly agentId?: string | undefined;
  readonly status?: ApprovalStatus | undefined;
  /** Where the page before ended, as its `next` said. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** What sessions ask of people. A session's activity makes them (see `ActivityStore.append`), and its end cancels them. */
export interface ApprovalStore {
  /** The newest of this id that the agent asked. */
  find(workspace: string, agentId: string, approvalId: string): Promise<Approval | null>;
  /** What an agent asks itself. */
  ask<Answer>(
    workspace: string,
    key: Pick<Approval, 'agentId' | 'approvalId'>,
    decide: (facts: QuestionFacts) => Decision<Answer>,
  ): Promise<Answer>;
  /** Newest first. */
  list(query: ApprovalQuery): Promise<Page<Approval>>;
  count(query: Omit<ApprovalQuery, 'before' | 'limit' | 'caller'>): Promise<Counted<ApprovalStatus>>;
  /** Changes one. Resolves with what was answered, null when there is none. */
  change(
    workspace: string,
    key: Pick<Approval, 'sessionId' | 'approvalId'>,
    decide: (approval: Approval, facts: Facts) => Decision<Approval>,
  ): Promise<Approval | null>;
  /** Deletes at most `limit` that were asked before `before` and are no longer pending. Answers how many went. */
  prune(before: number, limit: number): Promise<number>;
}
