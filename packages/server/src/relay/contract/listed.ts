import { MAX_PAGE_SIZE } from 'agent-relay-protocol';
import type { Page } from '../../domain/change.ts';
import { takePage } from '../../domain/page.ts';

/** A page as a list route answers it. */
export const listed = <Item>({ items, cursor, next }: Page<Item>) => ({
  data: [...items],
  cursor,
  ...(next === null ? {} : { nextCursor: next }),
});

interface PageById {
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** One page of what memory has, in order of ids. */
export function listedById<Item>(items: Iterable<Item>, idOf: (item: Item) => string, { after = '', limit = MAX_PAGE_SIZE }: PageById) {
  const following: Item[] = [];
  for (const item of items) if (idOf(item) > after) following.push(item);
  following.sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
  const { rows, isCut } = takePage(following, limit, (item) => JSON.stringify(item).length);
  const last = rows.at(-1);
  return { data: [...rows], ...(isCut && last !== undefined ? { nextCursor: idOf(last) } : {}) };
}
