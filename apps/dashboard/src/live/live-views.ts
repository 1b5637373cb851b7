import type { RelayClient, RelayEvent } from 'agent-relay-client';
import { viewsThatFollow } from './event-table.ts';
import { EventTail } from './event-tail.ts';
import { type LiveDeps, LiveView } from './live-view.ts';
import { Rest } from './rest.ts';
import { keyOfView, type View } from './view.ts';

/** Views kept although nobody watches them, so that who comes back to a page sees it at once: the latest. */
const UNWATCHED_LIMIT = 200;
/** What changes is shown at once, and what changes soon after that together: a page is not drawn more often than can be read. */
const QUIET_MS = 100;

/** Everything the page shows of the relay, each view read once and from then on kept current by the log. */
export class LiveViews {
  readonly #tail = new EventTail();
  /** Those that were watched last are last. */
  readonly #kept = new Map<string, LiveView<unknown>>();
  /** The same by their names: an event passes over no others, however many are kept. */
  readonly #named = new Map<string, Map<string, LiveView<unknown>>>();
  readonly #changed = new Set<LiveView<unknown>>();
  readonly #deps: LiveDeps;
  readonly #rest = new Rest(() => void setTimeout(() => this.#tell()), QUIET_MS);
  #isFollowed = false;

  constructor(relay: RelayClient) {
    this.#deps = {
      relay,
      tail: this.#tail,
      isFollowed: () => this.#isFollowed,
      onWatch: (view) => this.#onWatch(view),
      onChange: (view) => this.#onChange(view),
    };
  }

  /** The view as it is kept; the same object for as long as somebody watches it. */
  of<Data>(view: View<Data>): LiveView<Data> {
    const key = keyOfView(view);
    const kept = this.#kept.get(key) as LiveView<Data> | undefined; // a key is that of one view
    if (kept) return kept;
    const live = new LiveView(view, this.#deps);
    this.#keep(live);
    return live;
  }

  /** The log is followed from here on: what is shown is read, or read again. */
  begin(): void {
    this.#isFollowed = true;
    for (const live of this.#kept.values()) live.readAgain();
  }

  /** The log cannot be continued; what is known of it fits no later snapshot. */
  reset(): void {
    this.#tail.clear();
    this.begin();
  }

  /** The relay is there again: what could not be read meanwhile is tried again. */
  retry(): void {
    for (const live of this.#kept.values()) live.retry();
  }

  /** Brings everything up to one event of the log. */
  push(event: RelayEvent): void {
    this.#tail.push(event);
    const names = viewsThatFollow(event);
    for (const name of names) for (const live of this.#named.get(name)?.values() ?? []) live.apply(event);
  }

  /** One that was forgotten between being shown and being watched is kept again. */
  #onWatch(live: LiveView<unknown>): void {
    this.#kept.delete(live.key);
    this.#keep(live);
  }

  #keep(live: LiveView<unknown>): void {
    this.#kept.set(live.key, live);
    const named = this.#named.get(live.name) ?? new Map<string, LiveView<unknown>>();
    this.#named.set(live.name, named.set(live.key, live));
    if (this.#kept.size <= UNWATCHED_LIMIT) return;
    const unwatched = [...this.#kept.values()].filter((kept) => kept !== live && !kept.isWatched);
    for (const forgotten of unwatched.slice(0, Math.max(0, unwatched.length - UNWATCHED_LIMIT))) {
      this.#kept.delete(forgotten.key);
      this.#named.get(forgotten.name)?.delete(forgotten.key);
      forgotten.close();
    }
  }

  #onChange(live: LiveView<unknown>): void {
    this.#changed.add(live);
    this.#rest.want();
  }

  #tell(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const each of changed) each.tell();
  }
}
