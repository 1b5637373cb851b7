import { useMutation, useQuery } from '@tanstack/react-query';
import { RelayError } from 'agent-relay-client';
import { mergeApprovals, reduceApprovals } from './collections.ts';
import { keys } from './keys.ts';
import { listUpTo } from './list-up-to.ts';
import type { AnswerApprovalRequest } from './requests.ts';
import { useConnection, useMayCall, useRelay } from './use-relay.ts';

const PENDING_LIMIT = 1_000;
const ANSWERED_PAGE = 200;

/** Everything that waits for an answer and the newest of what has one, newest first. */
export function useApprovals() {
  const { relay, current } = useConnection();
  return useQuery({
    queryKey: keys.approvals,
    enabled: useMayCall('approvals/list'),
    queryFn: async () => {
      const newest = await listUpTo(ANSWERED_PAGE, relay.approvals.list, {});
      const pending = await listUpTo(PENDING_LIMIT, relay.approvals.list, { status: 'pending' as const });
      return current({ data: mergeApprovals(newest.data, pending.data), cursor: newest.cursor }, reduceApprovals);
    },
  });
}

/** Answers; the event brings the page up to date. Resolves with what to tell when the question was no longer open, which is no failure. */
export function useAnswerApproval() {
  const relay = useRelay();
  return useMutation({
    mutationFn: async (answer: AnswerApprovalRequest): Promise<string | null> => {
      try {
        await relay.approvals.resolve(answer);
        return null;
      } catch (error) {
        if (error instanceof RelayError && error.code === 'already_resolved') return error.message;
        throw error;
      }
    },
  });
}
