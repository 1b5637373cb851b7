/** A stretch takes about as long. */
const PAUSE_MS = 1;

/**
 * Lets those who walk the log in stretches go one after another, one stretch at a time with a pause after it: however many walk, whatever
 * else there is to do waits for one of them.
 */
export class ScanTurns {
  readonly #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setTimeout(this.#go, PAUSE_MS);
    });
  }

  readonly #go = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setTimeout(this.#go, PAUSE_MS);
  };
}
