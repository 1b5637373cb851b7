/** Lets readers that page from the log do so one page in a turn of the event loop, however many they are: everything else has its turns between. */
export class PageTurns {
  readonly #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(this.#go);
    });
  }

  readonly #go = (): void => {
    // What is woken here reads, and hands on what it read, before the next turn begins.
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#go);
  };
}
