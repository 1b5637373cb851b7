import { type RelayClient, RelayError } from 'agent-relay-client';
import type { Hold, OpenHold } from 'agent-relay-protocol';
import type { ListView } from '../live/view.ts';
import { byId, mergeNewestFirst } from './collect.ts';
import { listUpTo } from './list-up-to.ts';

/** Held messages beyond this many are not shown; the page says so. */
export const OPEN_HOLDS = 1_000;
const DECIDED_PAGE = 200;

export const isOpenHold = (hold: Hold): hold is OpenHold => hold.status === 'held';

const mergeHolds = mergeNewestFirst<Hold>({ keyOf: byId, isOver: (hold) => !isOpenHold(hold), order: byId });

/** Everything that waits for a decision and the newest of what was decided, newest first. */
export const holdsView: ListView<Hold> = {
  name: 'holds',
  route: 'holds/list',
  read: async (relay) => {
    const newest = await listUpTo(DECIDED_PAGE, relay.holds.list, {});
    const open = await listUpTo(OPEN_HOLDS, relay.holds.list, { status: 'held' as const });
    return { data: mergeHolds(newest.data, open.data), cursor: newest.cursor, nextCursor: open.next };
  },
  apply: (holds, event) => ('hold' in event ? mergeHolds(holds, [event.hold]) : holds),
};

export type HoldDecision = { readonly id: number } & (
  | { readonly outcome: 'release' }
  | { readonly outcome: 'refuse'; readonly because: string | null }
);

/** What came of a decision: this one, or the one that somebody else took first. */
export type HoldOutcome =
  | { readonly id: number; readonly type: 'released'; readonly messageId: number; readonly matched: number }
  | { readonly id: number; readonly type: 'refused' }
  | { readonly id: number; readonly type: 'too-late'; readonly told: string };

/** Decides a hold. That somebody was faster is an outcome, not a failure. */
export async function decideHold(relay: RelayClient, decision: HoldDecision): Promise<HoldOutcome> {
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
}
