import { sleep } from 'agent-relay-wire';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import { Recovery } from '../../recovery.ts';
import type { SearchStore } from '../../store/search-store.ts';

export interface SearchIndexerDeps {
  readonly store: { readonly search: SearchStore };
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who writes goes first: the index waits until nothing was written for so long, or it is behind for so long. */
const QUIET_MS = 500;
const PATIENCE_MS = 5_000;
/** Between two pieces. */
const PAUSE_MS = 20;
/** So long searches wait for what is new, all of them together. */
const CATCH_UP_MS = 150;
const BETWEEN_MS = 2;

/** Puts what is written into the index while there is little else to do. */
export class SearchIndexer {
  readonly #deps: SearchIndexerDeps;
  readonly #recovery: Recovery;
  #cancel: (() => void) | null = null;
  #lastWriteAt = 0;
  #behindSince: number | null = null;
  #catchingUp: Promise<void> | null = null;
  #isIndexing = false;
  #isClosed = false;

  constructor(deps: SearchIndexerDeps) {
    this.#deps = deps;
    const words = { fault: 'the search index cannot be written', recovered: 'the search index is written again' };
    this.#recovery = new Recovery({ clock: deps.clock, log: deps.log, ...words, again: () => this.#schedule(0) });
  }

  /** Something was written. */
  readonly ring = (): void => {
    if (this.#isIndexing) return;
    const now = this.#deps.clock.now();
    this.#lastWriteAt = now;
    this.#behindSince ??= now;
    this.#schedule(QUIET_MS);
  };

  /** Indexes what was written so far, if it is not very much. Answers how much is left. */
  async catchUp(): Promise<number> {
    const { search } = this.#deps.store;
    const joined = this.#catchingUp;
    // What was written since the one before began may not be in it.
    if (joined) await joined;
    if (search.isBehind()) {
      this.#catchingUp ??= this.#catchUpOnce().finally(() => {
        this.#catchingUp = null;
      });
      await this.#catchingUp;
    }
    return search.behind();
  }

  async #catchUpOnce(): Promise<void> {
    const endsAt = performance.now() + CATCH_UP_MS;
    while ((await this.#index()) && performance.now() < endsAt) await sleep(BETWEEN_MS);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#recovery.close();
  }

  /** Its own writing is nothing new. */
  async #index(): Promise<boolean> {
    this.#isIndexing = true;
    try {
      return await this.#deps.store.search.index();
    } finally {
      this.#isIndexing = false;
    }
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed || this.#cancel !== null) return;
    this.#cancel = this.#deps.clock.schedule(() => {
      this.#cancel = null;
      void this.#go();
    }, delayMs);
  }

  async #go(): Promise<void> {
    const { store, clock } = this.#deps;
    const now = clock.now();
    const isQuiet = now - this.#lastWriteAt >= QUIET_MS;
    const isLate = now - (this.#behindSince ?? now) >= PATIENCE_MS;
    if (!isQuiet && !isLate) {
      this.#schedule(QUIET_MS);
      return;
    }
    try {
      const hasMore = store.search.isBehind() && (await this.#index());
      if (hasMore) this.#schedule(PAUSE_MS);
      else this.#behindSince = null;
      this.#recovery.succeeded();
    } catch (error) {
      this.#recovery.failed(error);
    }
  }
}
