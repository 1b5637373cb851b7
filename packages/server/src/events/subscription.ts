import type { RelayEvent } from 'agent-relay-protocol';
import { Bell } from 'agent-relay-wire';
import type { FilterCriteria } from '../domain/event-filter.ts';

/** How many events a reader may leave lying before it is sent back to the log. */
const PENDING_LIMIT = 1024;
/** And how many characters of them. */
const PENDING_CHARACTERS = 2 * 1024 * 1024;

/**
 * One reader of the log.
 *
 * States: *behind*, it pages from the log by its own cursor and the tail passes it over; *live*, it has everything up to the tail's position
 * and the tail hands it what follows. It becomes live when a page reaches the tail, and falls behind when it leaves too much lying.
 */
export class Subscription {
  readonly workspace: string;
  /** Whose long looks take turns with each other. */
  readonly caller: string;
  readonly criteria: FilterCriteria;
  /** Everything up to here has been handed to the reader. */
  cursor: number;
  #isLive = false;
  #pending: RelayEvent[] = [];
  #pendingCharacters = 0;
  readonly #changes = new Bell();

  constructor(workspace: string, criteria: FilterCriteria, cursor: number, caller = '') {
    this.caller = caller;
    this.workspace = workspace;
    this.criteria = criteria;
    this.cursor = cursor;
  }

  get isLive(): boolean {
    return this.#isLive;
  }

  /** The oldest event that lies ready; null when none does. */
  get oldest(): number | null {
    return this.#pending[0]?.seq ?? null;
  }

  /** How many sequences this reader has not been handed, at most. */
  lag(head: number): number {
    if (!this.#isLive) return Math.max(0, head - this.cursor);
    return this.oldest === null ? 0 : head - this.oldest + 1;
  }

  goLive(): void {
    this.#isLive = true;
  }

  /** `characters` is how much text the event is. */
  offer(event: RelayEvent, characters: number): void {
    if (!this.#isLive || event.seq <= this.cursor) return;
    const isFull = this.#pending.length >= PENDING_LIMIT || this.#pendingCharacters + characters > PENDING_CHARACTERS;
    if (isFull) {
      this.fallBehind(event.seq);
      return;
    }
    this.#pending.push(event);
    this.#pendingCharacters += characters;
    this.wake();
  }

  /** Lets go of what lies ready: the log has it, and `next` is the first that the reader has not been offered. Of what came before nothing was for it. */
  fallBehind(next: number): void {
    if (this.#isLive) this.cursor = Math.max(this.cursor, (this.oldest ?? next) - 1);
    this.#pending = [];
    this.#pendingCharacters = 0;
    this.#isLive = false;
    this.wake();
  }

  /** What lies ready; empty when there is nothing. */
  take(): RelayEvent[] {
    const events = this.#pending;
    if (events.length === 0) return [];
    this.#pending = [];
    this.#pendingCharacters = 0;
    this.cursor = events.at(-1)?.seq ?? this.cursor;
    return events;
  }

  /** Resolves when there is something to take, when the reader has fallen behind, or when it is woken. */
  changed(): Promise<void> {
    return this.#pending.length > 0 || !this.#isLive ? Promise.resolve() : this.#changes.next();
  }

  /** Lets a reader that waits look again, e.g. at its signal. */
  wake(): void {
    this.#changes.ring();
  }
}
