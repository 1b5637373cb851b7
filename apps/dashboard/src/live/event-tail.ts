import type { RelayEvent } from 'agent-relay-client';

/** Events kept for snapshots that are on their way while the log goes on. */
const TAIL_LIMIT = 4_000;

/**
 * The end of the log as this page has read it. A snapshot that was asked for before an event and arrives after it lacks the event; the
 * snapshot's cursor says which ones to apply to it.
 */
export class EventTail {
  #events: RelayEvent[] = [];

  push(event: RelayEvent): void {
    this.#events.push(event);
    // Forgetting half at a time keeps the cost of moving the front away from each single event.
    if (this.#events.length > TAIL_LIMIT) this.#events = this.#events.slice(-TAIL_LIMIT / 2);
  }

  after(cursor: number): readonly RelayEvent[] {
    return this.#events.filter(({ seq }) => seq > cursor);
  }

  /** The log cannot be continued; what is known of it fits no later cursor. */
  clear(): void {
    this.#events = [];
  }
}
