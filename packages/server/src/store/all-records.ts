import { MAX_PAGE_SIZE } from 'agent-relay-protocol';
import type { Resource } from '../domain/resource.ts';
import type { Store } from './store.ts';

/** All that have a key, newest first, page after page: for what has a limit of its own to how many there are, or has to look at each. */
export async function allRecords<Kept extends { readonly id: number }>(
  { records }: Pick<Store, 'records'>,
  resource: Resource<Kept>,
  { workspace, under }: { readonly workspace: string; readonly under: string },
): Promise<readonly Kept[]> {
  const all: Kept[] = [];
  for (let before: number | undefined; ; ) {
    const page = await records.list(resource, { workspace, under, before, limit: MAX_PAGE_SIZE });
    all.push(...page.items);
    if (page.next === null) return all;
    before = page.next;
  }
}
