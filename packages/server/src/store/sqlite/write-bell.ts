/** Tells who waits for new rows of a table, once what was written is committed. */
export class WriteBell {
  readonly #listeners = new Set<() => void>();
  #isWritten = false;

  /** Something was written in this turn, or is to be looked at again. */
  note(): void {
    this.#isWritten = true;
  }

  onWritten(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  committed(): void {
    if (!this.#isWritten) return;
    this.#isWritten = false;
    for (const listener of this.#listeners) listener();
  }

  rolledBack(): void {
    this.#isWritten = false;
  }
}
