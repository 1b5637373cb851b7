/**
 * Lets those who walk the log in stretches go one after another, one stretch in a turn of the event loop: however many walk, whatever else
 * there is to do waits for one of them.
 */
export class ScanTurns {
  readonly #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(this.#go);
    });
  }

  readonly #go = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#go);
  };
}
