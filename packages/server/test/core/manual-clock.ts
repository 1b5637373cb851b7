import type { Clock } from '../../src/clock.ts';

interface Task {
  readonly at: number;
  readonly run: () => void;
}

/** Time that moves when told to; tasks that fall due run in the order of their times. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  readonly #tasks = new Set<Task>();

  now(): number {
    return this.#now;
  }

  schedule(run: () => void, delayMs: number): () => void {
    const task = { at: this.#now + Math.max(0, delayMs), run };
    this.#tasks.add(task);
    return () => this.#tasks.delete(task);
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#tasks].filter((task) => task.at <= until).sort((one, other) => one.at - other.at)[0];
      if (!due) break;
      this.#tasks.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = until;
  }
}
