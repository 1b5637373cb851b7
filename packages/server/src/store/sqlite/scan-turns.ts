/** A stretch takes about as long. */
const PAUSE_MS = 1;

/**
 * Lets those who pass over many rows in stretches go one after another, one stretch at a time with a pause after it: however many walk, whatever
 * else there is to do waits for one of them. Callers take turns with each other, and of a caller its walks do: whoever begins many of them has
 * no more of the time than whoever begins one.
 */
export class ScanTurns {
  /** By caller, in the order in which they are served; none without a walk that waits. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #isRunning = false;

  /** Resolves when the caller's next stretch may be read. Those who do not say who they are count as one caller. */
  next(caller = ''): Promise<void> {
    return new Promise((resolve) => {
      const walks = this.#waiting.get(caller);
      if (walks) walks.push(resolve);
      else this.#waiting.set(caller, [resolve]);
      if (this.#isRunning) return;
      this.#isRunning = true;
      setTimeout(this.#go, PAUSE_MS);
    });
  }

  readonly #go = (): void => {
    for (const [caller, walks] of this.#waiting) {
      this.#waiting.delete(caller);
      walks.shift()?.();
      if (walks.length > 0) this.#waiting.set(caller, walks);
      break;
    }
    this.#isRunning = this.#waiting.size > 0;
    if (this.#isRunning) setTimeout(this.#go, PAUSE_MS);
  };
}
