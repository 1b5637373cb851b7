/** What happened within a second of `first`: `count` times, for the last time at `last`. */
interface Burst {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** What happened in the minute before now, oldest first; never more than 61 entries, however much happened. */
export type SlidingMinute = readonly Burst[];

const MINUTE_MS = 60_000;
const BURST_MS = 1_000;

/** With one more at `now`. */
export function countIn(minute: SlidingMinute, now: number): SlidingMinute {
  const recent = recentOf(minute, now);
  const newest = recent.at(-1);
  if (!newest || now - newest.first >= BURST_MS) return [...recent, { first: now, last: now, count: 1 }];
  return [...recent.slice(0, -1), { ...newest, last: now, count: newest.count + 1 }];
}

/**
 * How long until one more keeps to `limit` in any 60 seconds; null when it does now. Waiting exactly that long is enough. A burst leaves as a
 * whole, with its last: the limit is never passed, and nobody waits a second more than if each were remembered by itself.
 */
export function waitFor(minute: SlidingMinute, limit: number, now: number): number | null {
  const recent = recentOf(minute, now);
  let count = recent.reduce((sum, burst) => sum + burst.count, 0);
  let waitMs: number | null = null;
  for (const burst of recent) {
    if (count < limit) break;
    count -= burst.count;
    waitMs = burst.last + MINUTE_MS - now;
  }
  return waitMs;
}

/** A clock that was set back must not make anybody wait for what it then calls the future. */
const recentOf = (minute: SlidingMinute, now: number): SlidingMinute =>
  minute
    .filter(({ last }) => last + MINUTE_MS > now)
    .map((burst) => (burst.last > now ? { ...burst, first: Math.min(burst.first, now), last: now } : burst));
