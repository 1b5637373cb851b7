import { expect } from 'vitest';
import { readSearch } from '../domain/search-text.ts';
import type { Found, SearchQuery } from './search-store.ts';
import type { Store } from './store.ts';
import { at, type InFolder, newMessage, send, someSession, writes } from './store-contract-parts.ts';

/** The part of the store contract about search. */
export function searchStoreContract(inFolder: InFolder): void {
  inFolder('what is written is found by its words once it is in the index, and says what is not', async (store, reopen) => {
    await send(store, { from: 'a', to: 'id:b', body: 'The Build is broken' });
    await said(store, 1, ['I mended the build', 'a test failed']);
    expect([store.search.isBehind(), store.search.behind(), await texts(store, 'build')]).toEqual([true, 3, []]);
    await indexed(store);
    expect([store.search.isBehind(), store.search.behind()]).toEqual([false, 0]);
    for (const each of [store, await reopen()]) {
      expect(await texts(each, 'build')).toEqual(['I mended the [build]', 'The [Build] is broken']);
      expect(await texts(each, '"build is"')).toEqual(['The [Build is] broken']);
      expect(await texts(each, '"is build"')).toEqual([]);
      expect(await texts(each, 'build -mended')).toEqual(['The [Build] is broken']);
      expect(await texts(each, 'build failed')).toEqual([]);
      expect(await texts(each, 'build', { workspace: 'other' })).toEqual([]);
      expect(await texts(each, 'build', { messages: false })).toEqual(['I mended the [build]']);
      expect(await texts(each, 'build', { activity: false })).toEqual(['The [Build] is broken']);
      expect(await texts(each, 'build', { session: 's' })).toEqual(['I mended the [build]']);
      expect(await texts(each, 'build', { untilAt: at })).toEqual(['The [Build] is broken']);
      expect(await texts(each, 'build', { sinceAt: at + 1 })).toEqual(['I mended the [build]']);
    }
  });

  inFolder('nothing is found that may not be read, was taken back, or was pruned', async (store) => {
    for (const body of ['word one', 'word two', 'word three']) await send(store, { from: 'a', to: 'id:b', body });
    await said(store, 1, ['a word']);
    await indexed(store);
    const reading = { as: null, mayRead: ({ id }: { readonly id: number }) => id !== 1 };
    expect(await texts(store, 'word', { reading, isShown: () => false })).toEqual(['[word] three', '[word] two']);
    await store.messages.remove('default', 2, ({ found }) =>
      writes(found ? { emptied: [{ ...found.message, body: '', deletedAt: at }] } : {}),
    );
    expect(await texts(store, 'word')).toEqual(['a [word]', '[word] three', '[word] one']);
    while (await store.retention.prune(at + 1, 10));
    await store.activity.prune(at + 100, 10);
    expect(await texts(store, 'word')).toEqual([]);
  });

  inFolder('pages add up to all that there is, without a gap or a double, newest first', async (store) => {
    for (let count = 0; count < 12; count += 1) {
      await store.messages.send({ workspace: 'default', from: 'a', replyTo: null, idempotencyKey: null }, () => {
        const { draft, matched } = newMessage('a', 'id:b', `word ${count * 2}`);
        return writes({ sent: [{ matched, draft: { ...draft, createdAt: at + count * 2 } }] });
      });
      await said(store, count + 1, [`word ${count * 2 + 1}`], at + count * 2 + 1);
    }
    await indexed(store);
    const found: Found[] = [];
    let before: SearchQuery['before'] | null = newest;
    while (before !== null) {
      const page = await store.search.find({ ...query('word'), before, limit: 5 });
      expect(page.items.length).toBeLessThanOrEqual(5);
      found.push(...page.items);
      before = page.next;
    }
    expect(found.map(textOf)).toEqual(Array.from({ length: 24 }, (_, index) => `[word] ${23 - index}`));
  });
}

const newest = { message: Number.MAX_SAFE_INTEGER, entry: Number.MAX_SAFE_INTEGER };

const query = (text: string): SearchQuery => ({
  workspace: 'default',
  terms: readSearch(text),
  messages: true,
  activity: true,
  agent: undefined,
  session: undefined,
  type: undefined,
  tool: undefined,
  file: undefined,
  sinceAt: undefined,
  untilAt: Number.MAX_SAFE_INTEGER,
  before: newest,
  limit: 20,
  signal: new AbortController().signal,
  reading: undefined,
  isShown: () => true,
});

const texts = async (store: Store, text: string, over: Partial<SearchQuery> = {}) =>
  (await store.search.find({ ...query(text), ...over })).items.map(textOf);

const textOf = ({ snippet }: Found) => snippet.map(({ text, isMatch }) => (isMatch ? `[${text}]` : text)).join('');

async function indexed(store: Store): Promise<void> {
  while (await store.search.index());
}

/** What an agent says a little later than messages are sent. */
async function said(store: Store, seq: number, words: readonly string[], when = at + 1): Promise<void> {
  if (seq === 1) await store.sessions.begin('default', 'a', () => writes({ sessions: [someSession] }));
  const entries = words.map((text, index) => ({
    seq: seq + index,
    at: when,
    event: { type: 'text.completed', turnId: 't', itemId: 'i', text } as const,
  }));
  await store.activity.append({ workspace: 'default', agentId: 'a', sessionId: 's', late: false, entries, now: at }, () => []);
}
