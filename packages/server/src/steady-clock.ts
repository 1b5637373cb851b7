import { type Clock, systemClock } from './clock.ts';

export interface TimeSource extends Clock {
  /** Milliseconds of a clock that nobody sets; it may stand still while the machine sleeps. */
  elapsed(): number;
}

const systemTime: TimeSource = { ...systemClock, elapsed: () => performance.now() };

/** What the machine's time service corrects in small steps is followed at once. */
const SLIGHT_MS = 5_000;
/** How often somebody looks, and how late a look may be before the whole process counts as having stood still. */
const LOOK_MS = 5_000;
const LATE_MS = 30_000;

/**
 * The machine's time, which does not jump: when it has moved otherwise than by passing, whoever asked to is told first, and only then does `now`
 * say the new time.
 *
 * States: *steady*, following the machine; *moved*, on the old line while the handler runs; steady again.
 */
export class SteadyClock implements Clock {
  readonly #source: TimeSource;
  readonly #schedule: Clock['schedule'];
  /** What is added to the elapsed time. */
  #offsetMs: number;
  #lookedAt: number;
  #handler: ((byMs: number) => Promise<void>) | null = null;
  #hasMoved = false;
  #cancel: (() => void) | null = null;

  constructor(source: TimeSource = systemTime) {
    this.#source = source;
    this.#schedule = (task, delayMs) => source.schedule(task, delayMs);
    this.#lookedAt = source.elapsed();
    this.#offsetMs = source.now() - this.#lookedAt;
  }

  now(): number {
    const elapsed = this.#source.elapsed();
    const wall = this.#source.now();
    const missedMs = elapsed - this.#lookedAt - LOOK_MS;
    if (!this.#hasMoved && this.#handler && (missedMs > LATE_MS || Math.abs(wall - elapsed - this.#offsetMs) > SLIGHT_MS)) {
      if (missedMs > LATE_MS) this.#offsetMs -= missedMs;
      this.#hasMoved = true;
      this.#schedule(() => void this.#settle(), 0);
    }
    if (!this.#hasMoved) this.#offsetMs = wall - elapsed;
    return Math.floor(elapsed + this.#offsetMs);
  }

  schedule(task: () => void, delayMs: number): () => void {
    return this.#schedule(task, delayMs);
  }

  onMoved(handler: (byMs: number) => Promise<void>): void {
    this.#handler = handler;
    this.#lookedAt = this.#source.elapsed();
    this.#lookAgain();
  }

  /** Looks no more. Idempotent. */
  close(): void {
    this.#cancel?.();
    this.#handler = null;
  }

  #lookAgain(): void {
    this.#cancel = this.#schedule(() => {
      this.now();
      this.#lookedAt = this.#source.elapsed();
      this.#lookAgain();
    }, LOOK_MS);
  }

  async #settle(): Promise<void> {
    const byMs = Math.round(this.#source.now() - this.#source.elapsed() - this.#offsetMs);
    try {
      await this.#handler?.(byMs);
    } finally {
      this.#lookedAt = this.#source.elapsed();
      this.#offsetMs = this.#source.now() - this.#lookedAt;
      this.#hasMoved = false;
    }
  }
}
