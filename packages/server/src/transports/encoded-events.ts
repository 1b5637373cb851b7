import type { RelayEvent } from 'agent-relay-protocol';

/** How many of the newest events' texts are kept. */
const KEPT = 256;
/** Longer texts have few places of their own, so that all that are kept stay within some MiB. */
const LONG_CHARACTERS = 32 * 1024;
const KEPT_LONG = 16;

/**
 * The JSON of events, each made once for all who read the head of the log: the feed hands the same objects to everybody. Kept by place and
 * not in a WeakMap, which makes every collection look at all of its entries.
 */
export class EncodedEvents {
  readonly #events: (RelayEvent | undefined)[] = Array.from({ length: KEPT + KEPT_LONG });
  readonly #texts: string[] = Array.from({ length: KEPT + KEPT_LONG }, () => '');

  encode(event: RelayEvent): string {
    const place = event.seq % KEPT;
    if (this.#events[place] === event) return this.#texts[place] ?? '';
    const longPlace = KEPT + (event.seq % KEPT_LONG);
    if (this.#events[longPlace] === event) return this.#texts[longPlace] ?? '';
    const text = JSON.stringify(event);
    this.#keep(text.length > LONG_CHARACTERS ? longPlace : place, event, text);
    return text;
  }

  #keep(place: number, event: RelayEvent, text: string): void {
    this.#events[place] = event;
    this.#texts[place] = text;
  }
}

/** Groups of texts up to a size, so that a slow reader never makes us hold a whole page of large events twice. A group is never empty. */
export function* inChunks<Item>(items: Iterable<Item>, sizeOf: (item: Item) => number, maxSize: number): Generator<readonly Item[]> {
  let chunk: Item[] = [];
  let size = 0;
  for (const item of items) {
    const itemSize = sizeOf(item);
    if (chunk.length > 0 && size + itemSize > maxSize) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(item);
    size += itemSize;
  }
  if (chunk.length > 0) yield chunk;
}
