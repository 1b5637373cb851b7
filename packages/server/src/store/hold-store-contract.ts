import { type Hold, RelayError } from 'agent-relay-protocol';
import { expect } from 'vitest';
import type { AppendMessage } from '../domain/change.ts';
import type { Store } from './store.ts';
import { append, at, newMessage, typesOf } from './store-contract-parts.ts';

type InFolder = (title: string, run: (store: Store, reopen: () => Promise<Store>) => Promise<void>) => void;

/** What every engine promises of held messages. */
export function holdStoreContract(inFolder: InFolder): void {
  inFolder(
    'a held message is kept with its event and reaches nobody; the same attempt joins it, another does not',
    async (store, reopen) => {
      const hold = (digest: string, key: string | null = null) => store.messages.append(held(store, 'a', 'id:b', digest, key));
      const first = await hold('one');
      expect(first).toMatchObject({ hold: { id: 1, status: 'held', attempts: 1 } });
      expect(await hold('one')).toMatchObject({ hold: { id: 1, attempts: 2 } });
      expect(await hold('two', 'k')).toMatchObject({ hold: { id: 2, attempts: 1 } });
      expect(await typesOf(store, 0)).toEqual(['message.held', 'message.held']);
      expect((await store.messages.list({ workspace: 'default', since: 0, limit: 10 })).items).toEqual([]);
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
    await store.messages.append(held(store, 'a', 'id:b', 'one', 'k'));
    const stored = await release(store, 1);
    expect(stored.message.id).toBe(2);
    expect((await store.deliveries.waiting('default', 'b', 0, 10)).items.map(({ message }) => message.id)).toEqual([2]);
    expect(await typesOf(store, 0)).toEqual(['message.held', 'message.new', 'message.released']);
    expect(await store.messages.append(held(store, 'a', 'id:b', 'one', 'k'))).toMatchObject({ duplicate: true, message: { id: 2 } });
    expect(await codeOf(store.messages.append(held(store, 'a', 'id:b', 'other', 'k')))).toBe('idempotency_mismatch');
  });

  inFolder('under its key a held or refused message is not sent by asking again, whatever is decided then', async (store) => {
    await store.messages.append(held(store, 'a', 'id:b', 'one', 'k'));
    const asked = { ...append('a', 'id:b'), idempotency: { from: 'a', key: 'k', digest: 'one' } };
    expect(await store.messages.append(asked)).toMatchObject({ hold: { status: 'held' } });
    await store.holds.change('default', 1, (hold) => ({ hold: refused(hold), change: {} }));
    expect(await store.messages.append(asked)).toMatchObject({ hold: { id: 1, status: 'refused' } });
  });

  inFolder('held messages of one sender are bounded; what was decided is forgotten in its time, what is open is not', async (store) => {
    for (let count = 0; count < 100; count += 1) await store.messages.append(held(store, 'a', 'id:b', String(count)));
    const before = store.log.head;
    expect(await codeOf(store.messages.append(held(store, 'a', 'id:b', 'one too many')))).toBe('rate_limited');
    expect(store.log.head).toBe(before);
    expect(await store.messages.append(held(store, 'c', 'id:b', 'another sender'))).toMatchObject({ hold: { status: 'held' } });
    await store.holds.change('default', 1, (hold) => ({ hold: refused(hold), change: {} }));
    expect(await store.holds.openBefore(at + 1, 3)).toMatchObject([{ workspace: 'default', id: 2 }, { id: 3 }, { id: 4 }]);
    expect(await store.holds.prune(at, 10)).toBe(0);
    expect(await store.holds.prune(at + 1, 10)).toBe(1);
    expect(await store.holds.get('default', 1)).toBeNull();
  });
}

/** A message that a rule keeps; the key is remembered with the digest of what it says. */
function held(store: Pick<Store, 'log'>, from: string, to: string, digest: string, key: string | null = null): AppendMessage {
  return {
    workspace: 'default',
    from,
    replyTo: null,
    idempotency: key === null ? null : { from, key, digest },
    decide: (id) => {
      expect(id).toBe(store.log.head + 1);
      const { id: _id, threadId: _thread, createdAt, expiresAt: _expires, deletedAt: _deleted, ...said } = newMessage(id, from, to).message;
      const message = { ...said, threadId: null, ttlMs: null };
      return { digest, change: {}, hold: { id, status: 'held', rule: 'hops', reason: 'Too far', attempts: 1, heldAt: createdAt, message } };
    },
  };
}

const release = (store: Store, id: number) =>
  store.holds.release('default', id, (hold, messageId) => {
    if (!hold) throw new Error('There is no such hold');
    const released: Hold = { ...hold, status: 'released', decidedAt: at, decidedBy: 'owner', messageId };
    const { from, to } = hold.message;
    return {
      hold: released,
      message: newMessage(messageId, from, to),
      change: { events: [{ type: 'message.released', at, hold: released }] },
    };
  });

function refused(hold: Hold | null): Hold {
  if (!hold) throw new Error('There is no such hold');
  return { ...hold, status: 'refused', decidedAt: at, decidedBy: 'owner', because: null };
}

async function codeOf(operation: Promise<unknown>): Promise<string> {
  const error = await operation.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof RelayError ? error.code : 'none';
}
