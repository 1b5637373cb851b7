/** So many runs of one hook wait; what comes then is told as skipped. */
const MAX_WAITING = 100;

/** The runs of one hook: so many at once, the others in order. */
export class HookLane {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** False where too many wait already; the work is then not begun. */
  run(concurrency: number, work: () => Promise<void>): boolean {
    const begin = () => {
      this.#running += 1;
      void work().finally(() => {
        this.#running -= 1;
        this.#waiting.shift()?.();
      });
    };
    if (this.#running < concurrency) begin();
    else if (this.#waiting.length >= MAX_WAITING) return false;
    else this.#waiting.push(begin);
    return true;
  }

  /** What waits is not begun any more. */
  clear(): void {
    this.#waiting.length = 0;
  }
}
