import { sleep } from 'agent-relay-wire';
import { isThreadInUse } from './errors.ts';
import { isOver } from './lost-end.ts';
import { betweenMs } from './stored-history.ts';
import type { ThreadFeed } from './thread-feed.ts';
import type { ThreadHistory } from './thread-history.ts';
import type { ThreadRecovery } from './thread-recovery.ts';

export interface ElsewhereWatchOptions {
  readonly threadId: () => string;
  readonly history: ThreadHistory;
  readonly feed: ThreadFeed;
  readonly recovery: ThreadRecovery | undefined;
  readonly canQueue: () => boolean;
  /** Loads the thread here. @throws what Codex refuses it with. */
  readonly rejoin: () => Promise<void>;
  readonly pollMs: number;
}

/** So often it is left to the other program to take what waits in the queue before it is taken back. */
const patience = 4;

/**
 * A thread that another program writes: Codex has one writer for each. What happens there is read from disk, and the thread is asked for again until it
 * is free.
 *
 * States: *here*; *elsewhere* from `begin` until it could be loaded again, or `close`.
 */
export class ElsewhereWatch {
  readonly #options: ElsewhereWatchOptions;
  readonly #closing = new AbortController();
  #isElsewhere = false;

  constructor(options: ElsewhereWatchOptions) {
    this.#options = options;
  }

  get isElsewhere(): boolean {
    return this.#isElsewhere;
  }

  begin(): void {
    if (this.#isElsewhere || this.#closing.signal.aborted) return;
    this.#tell(true);
    void this.#watch();
  }

  close(): void {
    this.#closing.abort();
  }

  #tell(isElsewhere: boolean): void {
    this.#isElsewhere = isElsewhere;
    this.#options.feed.receive({ method: 'client/attachedElsewhere', params: { threadId: this.#options.threadId(), isElsewhere } });
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    for (let polls = 1; this.#isElsewhere; polls += 1) {
      await sleep(this.#options.pollMs, { signal });
      if (signal.aborted) return;
      try {
        await this.#catchUp();
        await this.#ask(polls % patience === 0);
      } catch {
        // The server is busy or being connected to again: the next look sees more.
      }
    }
  }

  /**
   * Turns that are over, as they were stored. The newest one is called interrupted for as long as it runs (0.169, 0.171), so that word counts only once
   * another turn follows, or the thread is here again.
   */
  async #catchUp(): Promise<void> {
    const { history, feed } = this.#options;
    const missed = feed.maybeMissed(await history.turns({ backTo: feed.missedSince(undefined) }), undefined);
    const newest = missed.at(-1);
    const turns = missed.filter((turn) => isOver(turn) && (turn !== newest || turn.status !== 'interrupted'));
    feed.catchUp(turns, await history.itemsByTurn(turns), undefined);
  }

  /** Asks for the thread. Its queue runs as soon as it is loaded, with other rights than ours: what waits there is taken out before, when `mustTake`. */
  async #ask(mustTake: boolean): Promise<void> {
    const { history, recovery, canQueue, rejoin } = this.#options;
    const threadId = this.#options.threadId();
    const ours = recovery?.unconfirmed(threadId) ?? new Set<string>();
    const waits = canQueue() && ours.size > 0 ? (await history.queue()).some((entry) => ours.has(entry.clientUserMessageId ?? '')) : false;
    if (waits && !mustTake) return;
    const taken = waits ? await this.#takeOut(ours) : new Set<string>();
    try {
      // Let go meanwhile: it is not loaded again for nobody.
      if (this.#closing.signal.aborted) return;
      await rejoin();
      this.#tell(false);
    } catch (error) {
      if (!isThreadInUse(error)) throw error;
    } finally {
      if (taken.size > 0) recovery?.forgotten(new Set([...ours].filter((id) => !taken.has(id))), threadId);
      recovery?.resumed();
    }
  }

  /** What was really taken out: the other program may have been quicker. */
  async #takeOut(ours: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const { history, recovery } = this.#options;
    const isOut = await history.dequeue(ours);
    if ([...isOut.values()].includes(false)) await sleep(betweenMs, { signal: this.#closing.signal });
    const found = await history.messages(new Map([...isOut.keys()].map((id) => [id, recovery?.textOf?.(id)])));
    return new Set([...isOut.keys()].filter((id) => !found.has(id)));
  }
}
