import type { Clock } from '../../clock.ts';
import type { Store } from '../../store/store.ts';
import type { RelaySettings } from '../contract/relay-settings.ts';
import type { Inboxes } from '../mail/inboxes.ts';
import { endMail } from './end-mail.ts';

/** Rows a write: what shares its turn waits for it. */
const PRUNE_BATCH = 100;
/** Ending the mail of a message to many looks at every agent. */
const EXPIRE_BATCH = 50;
/** What others have between two batches. A million messages are pruned in about a minute then. */
const PAUSE_MS = 4;

export interface PrunerDeps {
  readonly store: Pick<Store, 'retention' | 'tasks'>;
  readonly clock: Clock;
  readonly settings: Pick<RelaySettings, 'retentionMs'>;
  readonly inboxes: Pick<Inboxes, 'wasHandedOver' | 'settle'>;
}

/** Ends and deletes what is older than the relay keeps: a small batch at a time, with room for everybody else in between. */
export class Pruner {
  readonly #deps: PrunerDeps;
  #round: Promise<void> | null = null;
  #endPause: (() => void) | null = null;
  #isClosed = false;

  constructor(deps: PrunerDeps) {
    this.#deps = deps;
  }

  /** Until nothing is left to prune; one round at a time, so that asking again joins the one in hand. */
  prune(): Promise<void> {
    this.#round ??= this.#prune().finally(() => {
      this.#round = null;
    });
    return this.#round;
  }

  /** Waits for the batch in hand. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endPause?.();
    // Whoever asked for the round is told what went wrong with it.
    await this.#round?.catch(() => {});
  }

  async #prune(): Promise<void> {
    const { store, clock, settings, inboxes } = this.#deps;
    if (settings.retentionMs === null) return;
    const now = clock.now();
    const before = now - settings.retentionMs;
    const why = { reason: 'It was older than the relay keeps mail', now };
    const window = { before, now, limit: EXPIRE_BATCH };
    await this.#batches(async () => (await endMail(inboxes, (decide) => store.retention.expire(window, decide), why)).hasMore);
    await this.#batches(() => store.retention.prune(before, PRUNE_BATCH));
    await this.#batches(() => store.tasks.prune(before, PRUNE_BATCH));
  }

  async #batches(next: () => Promise<boolean>): Promise<void> {
    while (!this.#isClosed && (await next())) await this.#pause();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.schedule(resolve, PAUSE_MS);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }
}
