/** What must end when the relay stops: waiting calls, streams, sockets. A listener that comes after the drain is called at once. */
export class Draining {
  readonly #listeners = new Set<() => void>();
  #isDraining = false;

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** The answer takes the listener off again. */
  onDrain(listener: () => void): () => void {
    if (this.#isDraining) listener();
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Idempotent. */
  drain(): void {
    this.#isDraining = true;
    for (const listener of [...this.#listeners]) listener();
    this.#listeners.clear();
  }
}
