/** Time as the relay sees it: tests turn it by hand. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Runs `task` once after `delayMs`; the answer cancels it. A pending task keeps no process alive. */
  schedule(task: () => void, delayMs: number): () => void;
  /**
   * Has `handler` told by how much the time moved otherwise than by passing: the machine slept, or somebody set its clock. `now` goes on as
   * before until the handler is done, so that nothing is judged by a time in which nobody could act. A clock that never moves has none.
   */
  onMoved?(handler: (byMs: number) => Promise<void>): void;
  /** Tells nobody any more. */
  close?(): void;
}

/** The longest delay a Node timer can hold; a longer one fires at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule: (task, delayMs) => {
    const timer = setTimeout(task, Math.min(Math.max(delayMs, 0), LONGEST_TIMER_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
