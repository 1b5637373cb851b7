import { RecentMap } from 'agent-relay-wire';
import { PUSHES_A_MINUTE } from '../../domain/push-digest.ts';
import { countIn, type SlidingMinute, waitFor } from '../../domain/sliding-minute.ts';

/** More than there may be browsers. */
const MOST_BROWSERS = 1_000;

/** How much that is new went to each browser in the last minute. After a restart nobody remembers. */
export class PushRates {
  readonly #minutes = new RecentMap<number, SlidingMinute>(MOST_BROWSERS);

  note(browser: number, now: number): void {
    this.#minutes.set(browser, countIn(this.#minutes.get(browser) ?? [], now));
  }

  /** How long until so many more keep to the limit; null when they do now. */
  waitFor(browser: number, count: number, now: number): number | null {
    return waitFor(this.#minutes.get(browser) ?? [], PUSHES_A_MINUTE - count + 1, now);
  }

  /** Whether so many more keep to the limit now. */
  hasRoom(browser: number, count: number, now: number): boolean {
    return count <= PUSHES_A_MINUTE && this.waitFor(browser, count, now) === null;
  }
}
