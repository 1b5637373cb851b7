import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from 'agent-relay-protocol';
import type { Page } from '../../domain/change.ts';
import { takePage } from '../../domain/page.ts';

/** A page as a list route answers it. */
export const listed = <Item>({ items, cursor, next }: Page<Item>) => ({
  data: [...items],
  cursor,
  ...(next === null ? {} : { nextCursor: next }),
});

interface PageEitherWay {
  readonly after?: number | undefined;
  readonly since?: number | undefined;
  readonly before?: number | undefined;
  readonly newest?: boolean | undefined;
  readonly limit?: number | undefined;
}

/** What a list route was asked for, as a store reads it: from the front, or where `before` stands from the back. */
export const pageOf = ({ after, since = 0, before, newest = false, limit = DEFAULT_PAGE_SIZE }: PageEitherWay) => ({
  after: after ?? since,
  ...(before !== undefined || newest ? { before: before ?? Number.MAX_SAFE_INTEGER } : {}),
  limit,
});

export const isFirstPage = ({ after, since, before }: PageEitherWay): boolean =>
  after === undefined && since === undefined && before === undefined;

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
