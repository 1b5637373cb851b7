import { type Hold, RelayError } from 'agent-relay-protocol';
import { expect } from 'vitest';
import type { StoredMessage } from '../domain/change.ts';
import { holdMessage } from '../domain/hold-changes.ts';
import type { Store } from './store.ts';
import { at, type InFolder, newMessage, typesOf, writes } from './store-contract-parts.ts';

/** What every engine promises of held messages. */
export function holdStoreContract(inFolder: InFolder): void {
  inFolder(
    'a held message is kept with its event and reaches nobody; the same attempt joins it, another does not',
    async (store, reopen) => {
      const first = await hold(store, 'a', 'one');
      expect(first).toMatchObject({ id: 1, status: 'held', attempts: 1 });
      expect(await hold(store, 'a', 'one')).toMatchObject({ id: 1, attempts: 2 });
      expect(await hold(store, 'a', 'two', 'k')).toMatchObject({ id: 2, attempts: 1 });
      expect(await typesOf(store, 0)).toEqual(['message.held', 'message.held']);
      expect((await store.messages.list({ workspace: 'default', after: 0, limit: 10 })).items).toEqual([]);
      const again = await reopen();
      const listed = await again.holds.list({ workspace: 'default', status: 'held', limit: 1 });
      expect(listed).toMatchObject({ items: [{ id: 2 }], next: 2 });
      expect(await again.holds.list({ workspace: 'default', before: 2, limit: 1 })).toMatchObject({
        items: [{ id: 1, attempts: 2 }],
        next: null,
      });
      expect(await again.holds.get('default', 1)).toMatchObject({ message: { to: 'id:b' } });
      expect(await again.holds.get('elsewhere', 1)).toBeNull();
    },
  );

  inFolder('a released message gets its number then, waits for its recipient, and answers for the key it was sent under', async (store) => {
    await hold(store, 'a', 'one', 'k');
    expect((await release(store, 1)).map(({ message }) => message.id)).toEqual([2]);
    expect((await store.deliveries.waiting('default', 'b', 0, 10)).items.map(({ message }) => message.id)).toEqual([2]);
    expect(await typesOf(store, 0)).toEqual(['message.held', 'message.new', 'message.released']);
    expect(await earlier(store, 'k')).toMatchObject({ stored: { message: { id: 2 } }, digest: 'one' });
  });

  inFolder('under its key a held message is found, held or refused', async (store) => {
    await hold(store, 'a', 'one', 'k');
    expect(await earlier(store, 'k')).toMatchObject({ hold: { status: 'held' }, digest: 'one' });
    await refuse(store, 1);
    expect(await earlier(store, 'k')).toMatchObject({ hold: { id: 1, status: 'refused' }, digest: 'one' });
  });

  inFolder('the same attempt under further keys is answered under each with what became of the hold', async (store, reopen) => {
    for (const key of ['k1', 'k2', null, 'k3']) expect(await hold(store, 'a', 'one', key)).toMatchObject({ id: 1 });
    for (let attempt = 5; attempt <= 110; attempt += 1) await hold(store, 'a', 'one', `more ${attempt}`);
    for (const key of ['k1', 'k2', 'k3', 'more 100'])
      expect(await earlier(store, key)).toMatchObject({ hold: { id: 1, status: 'held' }, digest: 'one' });
    expect(await earlier(store, 'more 101')).toBeNull();
    await release(store, 1);
    const again = await reopen();
    for (const key of ['k1', 'k2', 'k3'])
      expect(await earlier(again, key)).toMatchObject({ stored: { message: { id: 2 } }, digest: 'one' });
    await hold(again, 'a', 'two', 'l1');
    await hold(again, 'a', 'two', 'l2');
    await refuse(again, 4);
    expect(await earlier(again, 'l2')).toMatchObject({ hold: { id: 4, status: 'refused' }, digest: 'two' });
    expect(await again.holds.prune(at + 1, 10)).toBe(2);
    expect(await earlier(again, 'l2')).toBeNull();
  });

  inFolder('held messages of one sender are counted; what was decided is forgotten in its time, what is open is not', async (store) => {
    for (let count = 0; count < 100; count += 1) await hold(store, 'a', String(count));
    const before = store.log.head;
    expect(await codeOf(hold(store, 'a', 'one too many'))).toBe('rate_limited');
    expect(store.log.head).toBe(before);
    expect(await hold(store, 'c', 'another sender')).toMatchObject({ status: 'held' });
    await refuse(store, 1);
    expect(await store.holds.openBefore(at + 1, 3)).toMatchObject([{ workspace: 'default', id: 2 }, { id: 3 }, { id: 4 }]);
    expect(await store.holds.prune(at, 10)).toBe(0);
    expect(await store.holds.prune(at + 1, 10)).toBe(1);
    expect(await store.holds.get('default', 1)).toBeNull();
  });
}

/** Keeps a message, and tells nobody; the key is remembered with the digest of what it says. */
async function hold(store: Store, from: string, digest: string, key: string | null = null): Promise<Hold> {
  const { answer } = await store.messages.send({ workspace: 'default', from, replyTo: null, idempotencyKey: key }, (facts) => {
    const breach = { rule: 'hops', reason: 'Too far' } as const;
    const { draft } = newMessage(from, 'id:b');
    const held = holdMessage(facts, { id: facts.nextId, draft, breach, attempt: { digest, key } });
    return { answer: held.answer, change: held.change && { ...held.change, notices: [] } };
  });
  return answer;
}

/** What is found under a key of `a`. */
async function earlier(store: Store, idempotencyKey: string) {
  const subject = { workspace: 'default', from: 'a', replyTo: null, idempotencyKey };
  return (await store.messages.send(subject, (facts) => ({ answer: facts.earlier, change: null }))).answer;
}

async function release(store: Store, id: number): Promise<readonly StoredMessage[]> {
  const { sent } = await store.holds.release('default', id, ({ hold: held, key, nextId }) => {
    if (!held) throw new Error('There is no such hold');
    const released: Hold = { ...held, status: 'released', decidedAt: at, decidedBy: 'owner', messageId: nextId };
    const message = { ...newMessage(held.message.from, held.message.to), ...(key ? { key } : {}) };
    return writes({
      sent: [message],
      events: [{ type: 'message.released', at, hold: released }],
      holds: [{ hold: released, attempt: null }],
    });
  });
  return sent;
}

const refuse = (store: Store, id: number) =>
  store.holds.change('default', id, (held) => {
    if (!held) throw new Error('There is no such hold');
    const refused: Hold = { ...held, status: 'refused', decidedAt: at, decidedBy: 'owner', because: null };
    return writes({ holds: [{ hold: refused, attempt: null }] });
  });

async function codeOf(operation: Promise<unknown>): Promise<string> {
  const error = await operation.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof RelayError ? error.code : 'none';
}
