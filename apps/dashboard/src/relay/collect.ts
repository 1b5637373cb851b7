/** Of what has ended, so many are kept on the page, the newest; what is open is all kept. */
const ENDED_LIMIT = 2_000;

interface Bounds<Item> {
  readonly keyOf: (item: Item) => unknown;
  readonly isOver: (item: Item) => boolean;
  /** Grows from older to newer. */
  readonly order: (item: Item) => number;
}

/** Adds items or puts them in place of what was known: newest first, and of what is over only the newest. */
export const mergeNewestFirst =
  <Item>({ keyOf, isOver, order }: Bounds<Item>) =>
  (items: readonly Item[], more: readonly Item[]): readonly Item[] => {
    let over = 0;
    return [...new Map([...items, ...more].map((item) => [keyOf(item), item])).values()]
      .sort((one, other) => order(other) - order(one))
      .filter((item) => {
        if (isOver(item)) over += 1;
        return !isOver(item) || over <= ENDED_LIMIT;
      });
  };

/** Puts an item in place of the one with its key, or at the end. */
export function upsert<Item>(items: readonly Item[], item: Item, keyOf: (item: Item) => unknown): readonly Item[] {
  const key = keyOf(item);
  return items.some((existing) => keyOf(existing) === key)
    ? items.map((existing) => (keyOf(existing) === key ? item : existing))
    : [...items, item];
}

export const byId = ({ id }: { readonly id: number }): number => id;
