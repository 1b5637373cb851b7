/** A reader's work, from its start until what it made has been taken. Never rejects. */
type Work = () => Promise<void>;

/** For so long one turn of the event loop may be spent on short reads, one after another. */
const TURN_MS = 1;
/** What waits for a slow client costs nobody anything: it counts as this much at most. */
const LONGEST_COST_MS = 20;

/**
 * Shares the event loop among those who read. Each connection has a line: of a line one read runs at a time, and the next begins when the
 * client has taken the answer to the one before. Among the lines that wait, the one that has had least goes first, so that a caller who
 * asks now and then is never behind those who ask without end. After a long read everything else has as much time, reads of who has had
 * least included: what takes several turns, such as a write and its answer, meets one long read and not one in each turn.
 */
export class FairTurns {
  readonly #waiting = new Set<ReadLine>();
  #isRunning = false;
  /** What the line served last had had by then: nobody who comes back is owed the time of its absence. */
  #floorMs = 0;
  #endRest: (() => void) | null = null;

  openLine(): ReadLine {
    return new ReadLine((line) => this.#enter(line));
  }

  #enter(line: ReadLine): void {
    line.usedMs = Math.max(line.usedMs, this.#floorMs);
    this.#waiting.add(line);
    if (!this.#isRunning) void this.#serve();
    else if (line.usedMs <= this.#floorMs) this.#endRest?.();
  }

  async #serve(): Promise<void> {
    this.#isRunning = true;
    let turnBeganAt = performance.now();
    for (let line = this.#next(); line; line = this.#next()) {
      this.#waiting.delete(line);
      this.#floorMs = line.usedMs;
      await Promise.race([line.work(), nextTurn()]);
      const tookMs = performance.now() - turnBeganAt;
      if (tookMs < TURN_MS) continue;
      await this.#rest(Math.min(tookMs, LONGEST_COST_MS));
      turnBeganAt = performance.now();
    }
    this.#isRunning = false;
  }

  /** Ends early for a line that has had no more than the one served last had before. */
  async #rest(forMs: number): Promise<void> {
    await nextTurn();
    if ([...this.#waiting].some(({ usedMs }) => usedMs <= this.#floorMs)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, forMs);
      this.#endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endRest = null;
  }

  #next(): ReadLine | undefined {
    let least: ReadLine | undefined;
    for (const line of this.#waiting) if (!least || line.usedMs < least.usedMs) least = line;
    return least;
  }
}

/** The reads of one connection, in order. States: *idle*, *waiting* for its turn, *working*. */
export class ReadLine {
  usedMs = 0;
  readonly #enter: (line: ReadLine) => void;
  readonly #queue: Work[] = [];
  #isBusy = false;

  constructor(enter: (line: ReadLine) => void) {
    this.#enter = enter;
  }

  /** Reads that have not begun. */
  get length(): number {
    return this.#queue.length;
  }

  add(work: Work): void {
    this.#queue.push(work);
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#enter(this);
  }

  async work(): Promise<void> {
    const startedAt = performance.now();
    await this.#queue.shift()?.();
    this.usedMs += Math.min(performance.now() - startedAt, LONGEST_COST_MS);
    this.#isBusy = this.#queue.length > 0;
    if (this.#isBusy) this.#enter(this);
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
