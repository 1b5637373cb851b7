import { asText, type RelayEvent } from 'agent-relay-protocol';
import { Pump } from 'agent-relay-wire';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { Recovery } from '../recovery.ts';
import { type EventStream, letGo } from './event-stream.ts';

export interface LogFollowerOptions {
  /** Who follows, for the log. */
  readonly follower: string;
  /** The log after a number, or from now on. */
  readonly open: (after: number | undefined, signal: AbortSignal) => EventStream;
  /** Asked for each batch: takes one event after the other; null where none of the batch is wanted. What fails is tried again. */
  readonly taker: () => ((event: RelayEvent) => Promise<void>) | null;
  /** What is wrong with the store; null when nothing is. */
  readonly check: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** So often an event is tried that fails although the store is well; then it is passed over, for it would fail for ever. */
const MOST_TRIES = 3;

/**
 * Follows the log for a part of the relay as long as that runs. After a fault, in the log or in what an event is taken for, it goes on with the
 * first event that was not taken, so none is lost. Where the log cannot be continued it goes on from now.
 */
export class LogFollower {
  readonly #options: LogFollowerOptions;
  readonly #closing = new AbortController();
  readonly #recovery: Recovery;
  readonly #pump: Pump;
  #after: number | undefined;
  #tries = 0;

  constructor(options: LogFollowerOptions) {
    const { clock, log, follower } = options;
    this.#options = options;
    const words = { fault: 'the log cannot be followed', recovered: 'the log is followed again', fields: { follower } };
    this.#recovery = new Recovery({ clock, log, ...words, again: () => this.#pump.wake() });
    this.#pump = new Pump(
      () => this.#follow(),
      (error) => this.#recovery.failed(error),
    );
  }

  /** Begins after a number, or now: what is written once this has returned is followed. */
  start(after?: number): void {
    this.#after = after;
    this.#pump.wake();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#recovery.close();
    await this.#pump.close();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    for (let isToBeRead = true; isToBeRead && !signal.aborted; ) {
      isToBeRead = false;
      const { cursor, batches } = this.#options.open(this.#after, signal);
      this.#after = cursor;
      for await (const batch of batches) {
        if ('events' in batch) await this.#takeAll(batch.events);
        else {
          this.#after = undefined;
          isToBeRead = true;
        }
        this.#recovery.succeeded();
        letGo(batch);
      }
    }
  }

  async #takeAll(events: readonly RelayEvent[]): Promise<void> {
    const take = this.#options.taker();
    if (take === null) {
      this.#after = events.at(-1)?.seq ?? this.#after;
      return;
    }
    for (const event of events) {
      if (this.#closing.signal.aborted) return;
      await take(event).catch((error: unknown) => this.#judge(event, error));
      this.#after = event.seq;
      this.#tries = 0;
    }
  }

  /** Throws where the event is to be tried again. */
  async #judge({ type, seq }: RelayEvent, error: unknown): Promise<void> {
    const { check, log, follower } = this.#options;
    const isStoreWell = (await check().catch((reason: unknown) => reason)) === null;
    if (isStoreWell) this.#tries += 1;
    if (this.#tries < MOST_TRIES) throw error;
    log.error('an entry of the log is passed over', { follower, type, seq, error: asText(error) });
  }
}
