import type { CallOptions } from './options.ts';

interface PageOf<Item, After> {
  readonly data: readonly Item[];
  readonly cursor: number;
  readonly nextCursor?: After | undefined;
}

/**
 * Every page of a list by id, e.g. `listAll(relay.agents.list, {})`, or of one that grows, from its beginning: `listAll(relay.work.list, { after: 0 })`.
 * The cursor is that of the first page: what changed while the others were read is told by the events after it.
 */
export async function listAll<Item, Request extends object, After extends string | number>(
  list: (request: Request & { after?: After }, options?: CallOptions) => Promise<PageOf<Item, After>>,
  request: Request,
  options?: CallOptions,
): Promise<{ readonly data: Item[]; readonly cursor: number }> {
  const { data, cursor, nextCursor } = await list(request, options);
  const all = [...data];
  for (let after = nextCursor; after !== undefined; ) {
    const page = await list({ ...request, after }, options);
    all.push(...page.data);
    after = page.nextCursor;
  }
  return { data: all, cursor };
}
