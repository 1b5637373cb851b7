import type { ActivityEntry } from 'agent-relay-client';
import { type ActivityBlock, Blocks, keyOfEntry } from './activity-blocks.ts';

/** Blocks kept of those that come; what a person read further back is kept beside them. */
export const BLOCK_LIMIT = 5_000;
/** Entries kept to put together what began further back, once somebody reads that. */
const ENTRY_LIMIT = 100_000;
/** So far above the limit they grow before the oldest go: all of them are looked at then. */
const SLACK = 1.1;

interface Placed {
  readonly key: string;
  readonly entry: ActivityEntry;
}

const place = (entry: ActivityEntry): Placed => ({ key: keyOfEntry(entry), entry });

/** An agent's activity as blocks, which grows at both ends: what comes at its end is put in place without looking at the rest. */
export class ActivityFold {
  #blocks = new Blocks([]);
  #entries: Placed[] = [];
  #limit = BLOCK_LIMIT;
  /** The oldest were forgotten since something was read further back. */
  isCut = false;

  /** As they are now; another array once something has changed. */
  list(): readonly ActivityBlock[] {
    return [...this.#blocks.list];
  }

  has(key: string): boolean {
    return this.#blocks.find(key) !== undefined;
  }

  /** The stored entries that it begins and ends with; undefined while it has none. */
  get firstId(): number | undefined {
    return this.#entries[0]?.entry.id;
  }

  get lastId(): number | undefined {
    return this.#entries.at(-1)?.entry.id;
  }

  /** What came after. Stored entries that are here already change nothing. */
  append(entries: readonly ActivityEntry[]): void {
    for (const each of entries.map(place)) {
      this.#blocks.add(each.entry, each.key);
      if (each.entry.id > (this.lastId ?? 0)) this.#entries.push(each);
    }
    if (this.#entries.length > ENTRY_LIMIT * SLACK) this.#entries = this.#entries.slice(-ENTRY_LIMIT);
    if (this.#blocks.list.length > this.#limit * SLACK) this.#forgetOldest();
  }

  /** What went before: what began there and goes on here becomes one. */
  prepend(entries: readonly ActivityEntry[]): void {
    const earlier = entries.map(place);
    const head = new Blocks([]);
    for (const { entry, key } of earlier) head.add(entry, key);
    for (const { entry, key } of this.#entries) if (head.find(key) !== undefined) head.add(entry, key);
    this.#blocks = new Blocks([...head.list, ...this.#blocks.list.filter(({ key }) => head.find(key) === undefined)]);
    this.#entries = [...earlier, ...this.#entries];
    this.#limit = Math.max(this.#limit, this.#blocks.list.length);
    this.isCut = false;
  }

  /** Where an entry is told, or what came after it; undefined while it lies further back than what is here. */
  keyAt(entryId: number): string | undefined {
    const index = this.#entries.findIndex(({ entry }) => entry.id >= entryId);
    if (index === -1 || (index === 0 && this.firstId !== entryId)) return undefined;
    for (let at = index; at < this.#entries.length; at += 1) {
      const key = this.#entries[at]?.key;
      if (key !== undefined && this.has(key)) return key;
    }
    return undefined;
  }

  #forgetOldest(): void {
    const kept = this.#blocks.list.slice(-this.#limit);
    this.#blocks = new Blocks(kept);
    const from = this.#entries.findIndex(({ key }) => key === kept[0]?.key);
    if (from > 0) this.#entries = this.#entries.slice(from);
    this.isCut = true;
  }
}
