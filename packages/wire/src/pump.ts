/**
 * Runs one piece of work at a time, for as long as there is a reason to. It holds no queue, so it is never full: any number of `wake`s while
 * it runs are one more run, in which the work finds all that is new.
 *
 * States: *resting*; *running*; *running, and woken again*, after which it runs once more; *closed*.
 */
export class Pump {
  readonly #work: () => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #isRunning = false;
  #isWokenAgain = false;
  #isClosed = false;
  #inHand: Promise<void> = Promise.resolve();

  /** `onError` is told why a run failed that `wake` began; the pump then rests until it is woken. */
  constructor(work: () => Promise<void>, onError: (error: unknown) => void) {
    this.#work = work;
    this.#onError = onError;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** There is something new: a run begins now, or after the one in hand, which may have looked already. */
  wake(): void {
    if (this.#isRunning) this.#isWokenAgain = true;
    else if (!this.#isClosed) this.run().catch(this.#onError);
  }

  /**
   * Joins the run in hand or begins one; settles as that one does, whatever comes after it. A run in hand may have looked already: for what is
   * new, `wake` and wait until it has `settled`.
   */
  run(): Promise<void> {
    if (this.#isRunning) return this.#inHand;
    if (this.#isClosed) return Promise.resolve();
    this.#isRunning = true;
    this.#isWokenAgain = false;
    this.#inHand = this.#runOnce();
    return this.#inHand;
  }

  /** Resolves when it rests, however its runs end. */
  async settled(): Promise<void> {
    while (this.#isRunning) await this.#inHand.catch(() => {});
  }

  /** Begins nothing more; resolves when the run in hand has ended, however it did. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.settled();
  }

  async #runOnce(): Promise<void> {
    try {
      await this.#work();
    } finally {
      this.#isRunning = false;
      if (this.#isWokenAgain && !this.#isClosed) this.wake();
    }
  }
}
