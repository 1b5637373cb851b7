import type { View } from '../live/view.ts';

/** So far back it is looked at. */
export const SHOWN_SECONDS = 60;

/** How many messages came in each second, by the number of the second. */
export type Throughput = ReadonlyMap<number, number>;

/** Counted from the log as it comes: what came before the page was open is not in it. */
export const throughputView: View<Throughput> = {
  name: 'throughput',
  route: 'messages/list',
  read: async () => ({ data: new Map(), cursor: 0 }),
  apply: (counts, event) => {
    if (event.type !== 'message.new') return counts;
    const second = Math.floor(event.at / 1_000);
    const next = new Map(counts).set(second, (counts.get(second) ?? 0) + 1);
    for (const old of next.keys()) if (old <= second - SHOWN_SECONDS - 1) next.delete(old);
    return next;
  },
};

/** The seconds before now, oldest first; the one that is not over yet is left out. */
export function lastSeconds(counts: Throughput, now: number): readonly number[] {
  const current = Math.floor(now / 1_000);
  return Array.from({ length: SHOWN_SECONDS }, (_, index) => counts.get(current - SHOWN_SECONDS + index) ?? 0);
}
