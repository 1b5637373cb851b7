/** How long somebody has worked in the running turn of the event loop. */
export class TurnBudget {
  readonly #limitMs: number;
  #beganAt = 0;
  #turn: NodeJS.Immediate | null = null;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** After each piece of work: whether everybody else should have a turn now. */
  get isSpent(): boolean {
    if (this.#turn === null) {
      this.#beganAt = performance.now();
      this.#turn = setImmediate(() => {
        this.#turn = null;
      });
      return false;
    }
    return performance.now() - this.#beganAt >= this.#limitMs;
  }

  nextTurn(): Promise<void> {
    return new Promise((resolve) => void setImmediate(resolve));
  }
}
