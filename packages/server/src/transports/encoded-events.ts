import type { RelayEvent } from 'agent-relay-protocol';

/**
 * The JSON of events, each made once for all of its readers: the feed hands the same objects to everybody, so the text lives exactly as long
 * as the event does.
 */
export class EncodedEvents {
  readonly #texts = new WeakMap<RelayEvent, string>();

  encode(event: RelayEvent): string {
    const known = this.#texts.get(event);
    if (known !== undefined) return known;
    const text = JSON.stringify(event);
    this.#texts.set(event, text);
    return text;
  }
}

/** Groups of texts up to a size, so that a slow reader never makes us hold a whole page of large events twice. A group is never empty. */
export function* inChunks<Item>(items: readonly Item[], sizeOf: (item: Item) => number, maxSize: number): Generator<readonly Item[]> {
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
