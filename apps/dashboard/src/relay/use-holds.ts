import { useMutation, useQuery } from '@tanstack/react-query';
import { RelayError } from 'agent-relay-client';
import { mergeHolds, reduceHolds } from './collections.ts';
import { keys } from './keys.ts';
import { listUpTo } from './list-up-to.ts';
import { useConnection, useMayCall, useRelay } from './use-relay.ts';

/** Held messages beyond this many are not shown; the page says so. */
export const OPEN_LIMIT = 1_000;
const DECIDED_PAGE = 200;

/** Everything that waits for a decision and the newest of what was decided, newest first. */
export function useHolds() {
  const { relay, current } = useConnection();
  return useQuery({
    queryKey: keys.holds,
    enabled: useMayCall('holds/list'),
    queryFn: async () => {
      const newest = await listUpTo(DECIDED_PAGE, relay.holds.list, {});
      const open = await listUpTo(OPEN_LIMIT, relay.holds.list, { status: 'held' as const });
      return current({ data: mergeHolds(newest.data, open.data), cursor: newest.cursor }, reduceHolds);
    },
  });
}

export type HoldDecision = { readonly id: number } & (
  | { readonly outcome: 'release' }
  | { readonly outcome: 'refuse'; readonly because: string | null }
);

/** What came of a decision: this one, or the one that somebody else took first. */
export type HoldOutcome =
  | { readonly id: number; readonly type: 'released'; readonly messageId: number; readonly matched: number }
  | { readonly id: number; readonly type: 'refused' }
  | { readonly id: number; readonly type: 'too-late'; readonly told: string };

/** Decides a hold; the event brings the page up to date. That somebody was faster is an outcome, not a failure. */
export function useDecideHold(onOutcome: (outcome: HoldOutcome) => void) {
  const relay = useRelay();
  return useMutation({
    onSuccess: onOutcome,
    mutationFn: async (decision: HoldDecision): Promise<HoldOutcome> => {
      const { id } = decision;
      try {
        if (decision.outcome === 'release') {
          const sent = await relay.holds.release({ id });
          return { id, type: 'released', messageId: sent.id, matched: sent.matched };
        }
        await relay.holds.refuse({ id, ...(decision.because === null ? {} : { because: decision.because }) });
        return { id, type: 'refused' };
      } catch (error) {
        if (error instanceof RelayError && error.code === 'already_resolved') return { id, type: 'too-late', told: error.message };
        throw error;
      }
    },
  });
}
