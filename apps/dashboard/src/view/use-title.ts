import { useEffect } from 'react';
import { useConnectionState } from '../live/use-connection.ts';
import { useLive } from '../live/use-live.ts';
import { deadLetterCount, openHolds, pendingApprovals, stalledAgents } from '../relay/open-counts.ts';
import { formatCount } from './format.ts';

/** What the tab says: how much waits for a person, and whether the relay is there at all. */
export function titleOf(waiting: number, status: string): string {
  const mark = status === 'lost' || status === 'quiet' ? '⚠ ' : '';
  return `${mark}${waiting > 0 ? `(${formatCount(waiting)}) ` : ''}Agent Relay`;
}

/** Keeps the title of the tab, and the badge of an installed page where there is one. */
export function useTitle(): void {
  const { status } = useConnectionState();
  const [questions = 0, holds = 0] = [useLive(pendingApprovals).data, useLive(openHolds).data];
  const [letters = 0, stalled = []] = [useLive(deadLetterCount).data, useLive(stalledAgents).data];
  const waiting = questions + holds + letters + stalled.length;
  useEffect(() => {
    document.title = titleOf(waiting, status);
    // Not every browser has one, and one may refuse it.
    void navigator.setAppBadge?.(waiting).catch(() => {});
  }, [waiting, status]);
}
