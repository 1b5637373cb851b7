/**
 * Lets something be done at once and then not again for a while, however often it is wanted: one change is seen without delay, the rest of a
 * burst together when the while is over.
 */
export class Rest {
  readonly #act: () => void;
  readonly #quietMs: number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isWanted = false;

  constructor(act: () => void, quietMs = 400) {
    this.#act = act;
    this.#quietMs = quietMs;
  }

  want(): void {
    if (this.#timer !== null) {
      this.#isWanted = true;
      return;
    }
    this.#act();
    this.#timer = setTimeout(() => {
      const isWanted = this.#isWanted;
      this.close();
      if (isWanted) this.want();
    }, this.#quietMs);
  }

  /** What was wanted is no longer. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isWanted = false;
  }
}
