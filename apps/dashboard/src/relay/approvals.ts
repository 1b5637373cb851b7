import { type Approval, type RelayClient, RelayError } from 'agent-relay-client';
import type { PendingApproval, RouteRequest } from 'agent-relay-protocol';
import type { ListView } from '../live/view.ts';
import { mergeNewestFirst } from './collect.ts';
import { listUpTo } from './list-up-to.ts';

/** Questions beyond this many are not shown; the page says so. */
export const PENDING_LIMIT = 1_000;
const ANSWERED_PAGE = 200;

export const keyOfApproval = ({ sessionId, approvalId }: Approval): string => `${sessionId}/${approvalId}`;

export const isPendingApproval = (approval: Approval): approval is PendingApproval => approval.status === 'pending';

const mergeApprovals = mergeNewestFirst<Approval>({
  keyOf: keyOfApproval,
  isOver: (approval) => !isPendingApproval(approval),
  order: ({ requestedAt }) => requestedAt,
});

/** Everything that waits for an answer and the newest of what has one, newest first. */
export const approvalsView: ListView<Approval> = {
  name: 'approvals',
  route: 'approvals/list',
  read: async (relay) => {
    const newest = await listUpTo(ANSWERED_PAGE, relay.approvals.list, {});
    const pending = await listUpTo(PENDING_LIMIT, relay.approvals.list, { status: 'pending' as const });
    return { data: mergeApprovals(newest.data, pending.data), cursor: newest.cursor, nextCursor: pending.next };
  },
  apply: (approvals, event) => ('approval' in event ? mergeApprovals(approvals, [event.approval]) : approvals),
};

/** Answers. Resolves with what to tell when the question was no longer open, which is no failure. */
export async function answerApproval(relay: RelayClient, answer: RouteRequest<'approvals/resolve'>): Promise<string | null> {
  try {
    await relay.approvals.resolve(answer);
    return null;
  } catch (error) {
    if (error instanceof RelayError && error.code === 'already_resolved') return error.message;
    throw error;
  }
}
