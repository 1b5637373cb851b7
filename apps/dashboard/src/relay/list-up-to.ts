interface PageBackwards<Item> {
  readonly data: readonly Item[];
  readonly cursor: number;
  readonly nextCursor?: number | undefined;
}

/**
 * The newest of a list, up to so many, over as many pages as that takes: a page carries only so much text, however many were asked for. `next` is there
 * where there is more.
 */
export async function listUpTo<Item, Request extends object>(
  count: number,
  list: (request: Request & { limit: number; before?: number }) => Promise<PageBackwards<Item>>,
  request: Request,
): Promise<{ readonly data: Item[]; readonly cursor: number; readonly next: number | undefined }> {
  const { data, cursor, nextCursor } = await list({ ...request, limit: count });
  const all = [...data];
  let before = nextCursor;
  while (before !== undefined && all.length < count) {
    const page = await list({ ...request, limit: count - all.length, before });
    all.push(...page.data);
    before = page.nextCursor;
  }
  return { data: all, cursor, next: before };
}
