import type { RelayClient } from 'agent-relay-client';
import { type Approval, type ApprovalAnswer, MAX_PAGE_SIZE, type Principal, RelayError } from 'agent-relay-protocol';

export type ApprovalKey = Pick<Approval, 'agentId' | 'approvalId'>;

/** What agents ask, and the way to answer. Rejects with RelayErrors. */
export interface ApprovalSource {
  /**
   * What is open, oldest first, and the cursor at which that was so.
   * @throws RelayError `unauthorized`, `forbidden_scope` when these are not for this token to see.
   */
  pending(): Promise<{ readonly approvals: readonly Approval[]; readonly cursor: number }>;
  /** Each approval that is asked or ends behind the cursor. @throws RelayError `gone` when the log does not reach back that far. */
  follow(cursor: number, signal: AbortSignal): AsyncIterable<Approval>;
  /** How a question ended, or null when it is not known any more. */
  find(key: ApprovalKey): Promise<Approval | null>;
  /** `person` is the number of whoever answers, as Telegram has it. */
  resolve(key: ApprovalKey, answer: ApprovalAnswer, person: number): Promise<Approval>;
}

export function relayApprovals(relay: Pick<RelayClient, 'approvals' | 'events' | 'system'>): ApprovalSource {
  return {
    pending: async () => {
      assertSpeaksForPeople(await relay.system.me());
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
    resolve: ({ agentId, approvalId }, answer, person) =>
      relay.approvals.resolve({ id: agentId, approvalId, ...answer, person: `${person}` }),
  };
}

/** An agent's token is shown what that agent asked itself: an empty list would look as if nobody asked anything. */
function assertSpeaksForPeople(principal: Principal): void {
  const isAgents = principal.type === 'agent' || (principal.type === 'token' && principal.agentId !== null);
  if (!isAgents || ('scopes' in principal && principal.scopes.includes('approvals:read'))) return;
  throw new RelayError('forbidden_scope', 'This token acts as an agent and does not see what others ask', {
    details: { scope: 'approvals:read' },
  });
}
