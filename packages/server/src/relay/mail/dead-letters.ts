import { MAX_PAGE_SIZE, type Principal, principalName } from 'agent-relay-protocol';
import type { Page, StoredMessage } from '../../domain/change.ts';
import type { Store } from '../../store/store.ts';
import type { Readers } from '../access/readers.ts';

export interface DeadLettersDeps {
  readonly store: Pick<Store, 'messages' | 'log'>;
  readonly readers: Readers;
}

/** How many dead letters the caller may read. */
export async function countDeadLetters({ store, readers }: DeadLettersDeps, principal: Principal) {
  const { workspace } = principal;
  const { reading, readsAll } = readers.of(principal);
  if (readsAll) return store.messages.countDeadLetters(workspace);
  const asked = { workspace, caller: principalName(principal), deadLetter: true, reading, limit: MAX_PAGE_SIZE };
  const cursor = store.log.head;
  let count = 0;
  for (let after: number | null = 0; after !== null; ) {
    const page: Page<StoredMessage> = await store.messages.list({ ...asked, after });
    count += page.items.length;
    after = page.next;
  }
  return { count, cursor };
}
