import { sleep } from 'agent-relay-wire';
import type { ScanTurns } from './scan-turns.ts';

/** So long is looked for one page, the time in which others had their turn apart. */
const PAGE_MS = 1_000;
/** With that time, so that whoever asks still waits for the answer. */
const LONGEST_PAGE_MS = 10_000;
/** How long one turn of a search may take about: other callers get theirs between two of them. */
export const TURN_MS = 4;
/** So long looks may take together, without as much time for others between them. */
const MOST_OWED_MS = 25;
const LONGEST_REST_MS = 200;

/**
 * The searches of one store. A look into the index is one piece of work, however long it takes: what is in none of a million texts takes about 100 ms. After
 * what took long nobody looks for as long again, so that whatever else there is to do has half of the time, however many search.
 */
export class SearchTurns {
  readonly #scanTurns: Pick<ScanTurns, 'next'>;
  /** What looks took, less what others had since. */
  #owedMs = 0;
  #endedAt = Number.NEGATIVE_INFINITY;
  #restsUntil = 0;

  constructor(scanTurns: Pick<ScanTurns, 'next'>) {
    this.#scanTurns = scanTurns;
  }

  begin(caller: string | undefined, signal: AbortSignal): SearchTurn {
    return new SearchTurn(() => this.#scanTurns.next(caller), signal, this);
  }

  get isResting(): boolean {
    return this.restsForMs > 0;
  }

  /** How long nobody may look. */
  get restsForMs(): number {
    return Math.max(0, this.#restsUntil - performance.now());
  }

  took(ms: number): void {
    const now = performance.now();
    const leftMs = Math.max(0, now - ms - this.#endedAt);
    this.#owedMs = Math.max(0, this.#owedMs - leftMs) + ms;
    this.#endedAt = now;
    if (this.#owedMs > MOST_OWED_MS) this.#restsUntil = now + Math.min(this.#owedMs, LONGEST_REST_MS);
  }
}

/** How long somebody has had the event loop, and how long the page is being looked for. */
export class SearchTurn {
  readonly #wait: () => Promise<void>;
  readonly #signal: AbortSignal;
  readonly #all: Pick<SearchTurns, 'isResting' | 'restsForMs' | 'took'>;
  readonly #endsAtLast = performance.now() + LONGEST_PAGE_MS;
  #endsAt = performance.now() + PAGE_MS;
  #startedAt = performance.now();

  constructor(wait: () => Promise<void>, signal: AbortSignal, all: Pick<SearchTurns, 'isResting' | 'restsForMs' | 'took'>) {
    this.#wait = wait;
    this.#signal = signal;
    this.#all = all;
  }

  /** Nobody waits for it any more, or it took long enough. */
  get isOver(): boolean {
    return this.#signal.aborted || performance.now() > this.#endsAt;
  }

  /** Looks into the index, once it may; answers what was found, and in how many ms. Null when it may not yet, and nobody waits for it any more, or not for long. */
  async look<Found>(look: () => Found): Promise<readonly [found: Found, tookMs: number] | null> {
    while (this.#all.isResting) {
      if (this.#signal.aborted || performance.now() > this.#endsAtLast) return null;
      await this.#waitFor(async () => {
        // Not in the queue of all who read much, who would wait for nothing.
        await sleep(Math.ceil(this.#all.restsForMs), { signal: this.#signal });
        await this.#wait();
      });
    }
    const startedAt = performance.now();
    const found = look();
    const tookMs = performance.now() - startedAt;
    this.#all.took(tookMs);
    return [found, tookMs];
  }

  /** Lets others have their turn, where it has been long enough. */
  async rest(): Promise<void> {
    if (performance.now() - this.#startedAt < TURN_MS) return;
    await this.#waitFor(this.#wait);
  }

  /** Whoever waits for others has as much time afterwards as before. */
  async #waitFor(others: () => Promise<void>): Promise<void> {
    const beganAt = performance.now();
    await others();
    this.#startedAt = performance.now();
    this.#endsAt = Math.min(this.#endsAt + this.#startedAt - beganAt, this.#endsAtLast);
  }
}
