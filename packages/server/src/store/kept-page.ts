import type { Page } from '../domain/change.ts';
import type { Counted } from './counted.ts';

export interface PageRequest<Item> {
  /** Where the page begins: behind this position. */
  readonly from: number;
  readonly limit: number;
  /** The list's own page behind a position, of at most `limit` items; fewer, with a `next`, where they are as much as one answer carries. */
  readonly read: (position: number) => Promise<Page<Item>>;
  readonly positionOf: (item: Item) => number;
  readonly keep: (item: Item) => boolean;
}

/**
 * A page of what is kept of a list: filtered first and cut afterwards, so that what is left out hides nothing behind it. Others have their turn
 * between two looks: its cursor is that of the first, so that events tell what changed since.
 */
export async function keptPage<Item>({ from, limit, read, positionOf, keep }: PageRequest<Item>): Promise<Page<Item>> {
  const items: Item[] = [];
  let first: number | null = null;
  for (let position = from; ; ) {
    const page = await read(position);
    const { next } = page;
    const cursor: number = first ?? page.cursor;
    first = cursor;
    for (const item of page.items) {
      if (!keep(item)) continue;
      const last = items.at(-1);
      if (items.length === limit && last !== undefined) return { items, cursor, next: positionOf(last) };
      items.push(item);
    }
    const isFull = items.length === limit || (items.length > 0 && page.items.length < limit);
    if (next === null || isFull) return { items, cursor, next };
    position = next;
    await anotherTurn();
  }
}

interface CountRequest<Status extends string, Item> extends Pick<PageRequest<Item>, 'read' | 'keep'> {
  /** Each status with nothing counted yet. */
  readonly none: Readonly<Record<Status, number>>;
}

/** How much is kept of a list that not everybody may read all of, by status; turns and cursor as with `keptPage`. */
export async function keptCounts<Status extends string, Item extends { readonly status: Status }>({
  read,
  keep,
  none,
}: CountRequest<Status, Item>): Promise<Counted<Status>> {
  const counts: Record<Status, number> = { ...none };
  let first: number | null = null;
  for (let position = Number.MAX_SAFE_INTEGER; ; ) {
    const { items, cursor, next } = await read(position);
    first ??= cursor;
    for (const item of items) if (keep(item)) counts[item.status] += 1;
    if (next === null) return { counts, cursor: first };
    position = next;
    await anotherTurn();
  }
}

const anotherTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
