/** Requests whose answers are large, one at a time: the next begins when the answer to the one before has been taken. */
export class OneAtATime {
  readonly #open: { readonly id: unknown; readonly done: () => void }[] = [];
  #last: Promise<void> = Promise.resolve();

  /** @throws whatever `work` throws. */
  async run<T>(id: unknown, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    this.#last = new Promise((done) => void this.#open.push({ id, done }));
    await before;
    return work();
  }

  /** The answer to the request with this id has been taken, or never will be. */
  answered(id: unknown): void {
    const at = this.#open.findIndex((open) => open.id === id);
    if (at >= 0) this.#open.splice(at, 1)[0]?.done();
  }
}
