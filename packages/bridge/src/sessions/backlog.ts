export interface BacklogOptions {
  /** Default 64. */
  readonly requests?: number;
  /** Characters of their frames together. Default 16 Mi; one alone may have more. */
  readonly characters?: number;
}

/** Bounds what waits of clients. */
export class Backlog {
  readonly #options: Required<BacklogOptions>;
  #requests = 0;
  #characters = 0;

  constructor({ requests = 64, characters = 16 << 20 }: BacklogOptions = {}) {
    this.#options = { requests, characters };
  }

  get isEmpty(): boolean {
    return this.#requests === 0;
  }

  hasRoom(size: number): boolean {
    const { requests, characters } = this.#options;
    return this.isEmpty || (this.#requests < requests && this.#characters + size <= characters);
  }

  /** Counts a request until the answer is called. */
  enter(size: number): () => void {
    this.#requests += 1;
    this.#characters += size;
    return () => {
      this.#requests -= 1;
      this.#characters -= size;
    };
  }
}
