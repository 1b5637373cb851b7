/**
 * Does one piece of work after the other, in the order in which they were asked for; one that fails keeps none behind it from its turn. It holds whatever
 * waits and has no bound of its own: whoever lets others ask bounds what of theirs may wait. Where any number of reasons are one run, take `Pump`.
 */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as `work` does, once its turn has come. */
  run<Answer>(work: () => Answer | Promise<Answer>): Promise<Answer> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {}); // whoever asked for it hears of it
    return done;
  }

  /** Resolves when all that was asked for before this call has ended, however it did. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
