import type { RelayClient } from 'agent-relay-client';
import { type Approval, MAX_PAGE_SIZE } from 'agent-relay-protocol';

export type ApprovalKey = Pick<Approval, 'agentId' | 'approvalId'>;

/** What agents ask, and the way to answer. Rejects with RelayErrors. */
export interface ApprovalSource {
  /** What is open, oldest first, and the cursor at which that was so. */
  pending(): Promise<{ readonly approvals: readonly Approval[]; readonly cursor: number }>;
  /** Each approval that is asked or ends behind the cursor. @throws RelayError `gone` when the log does not reach back that far. */
  follow(cursor: number, signal: AbortSignal): AsyncIterable<Approval>;
  /** How a question ended, or null when it is not known any more. */
  find(key: ApprovalKey): Promise<Approval | null>;
  resolve(key: ApprovalKey, outcome: 'allow' | 'deny'): Promise<Approval>;
}

export function relayApprovals(relay: Pick<RelayClient, 'approvals' | 'events'>): ApprovalSource {
  return {
    pending: async () => {
      const { data, cursor } = await relay.approvals.list({ status: 'pending', limit: MAX_PAGE_SIZE });
      return { approvals: data.toReversed(), cursor };
    },
    follow: async function* (after, signal) {
      for await (const event of relay.events({ after, types: ['approval.requested', 'approval.resolved'], signal })) {
        if ('approval' in event) yield event.approval;
      }
    },
    find: async ({ agentId, approvalId }) => {
      const { data } = await relay.approvals.list({ agent: agentId, limit: MAX_PAGE_SIZE });
      return data.find((approval) => approval.approvalId === approvalId) ?? null;
    },
    resolve: ({ agentId, approvalId }, outcome) => relay.approvals.resolve({ id: agentId, approvalId, outcome }),
  };
}
