import { expect } from 'vitest';
import type { NewMessage } from '../domain/change.ts';
import { endClaim, takeClaim } from '../domain/claim.ts';
import { claimEvent, expireClaim, releaseAll } from '../domain/claim-changes.ts';
import { moveCopy } from '../domain/delivery-changes.ts';
import { expireMessage } from '../domain/expiry.ts';
import type { Decision, ExpiryFacts } from '../domain/facts.ts';
import type { Store } from './store.ts';
import { allEvents, at, type InFolder, newMessage, register, send, typesOf, writes } from './store-contract-parts.ts';

/** The part of the store contract about what runs out, what is offered again then, and mail of people that did not arrive. */
export function expiryStoreContract(inFolder: InFolder): void {
  inFolder('a message runs out once, and its decision sees who waits for it and the work that it offers', async (store, reopen) => {
    await store.agents.change('default', 'b', register('b', { tags: ['x'] }));
    const direct = await sent(store, 'id:b', { expiresAt: at + 5 });
    const handed = await sent(store, 'id:b', { expiresAt: at + 5 });
    const offer = await sent(store, 'tag:x', { expiresAt: at + 9, claimable: true });
    await sent(store, 'id:b', {});
    await store.deliveries.change('default', 'b', [handed], ({ found }) => moveCopy(found, { state: 'dispatched' }, at));
    const seen: unknown[] = [];
    const expire = (each: Store, now: number, limit = 10) =>
      each.messages.expire(now, limit, (facts) => {
        seen.push([facts.found.message.id, facts.waiting.map(({ agentId }) => agentId), facts.work?.status ?? null]);
        return expired(now)(facts);
      });
    expect([await store.messages.nextExpiry(), await expire(store, at + 4)]).toEqual([at + 5, { count: 0, answers: [] }]);
    expect(await expire(store, at + 5, 1)).toMatchObject({ count: 1 });
    expect((await expire(store, at + 5)).count).toBe(1);
    const again = await reopen();
    expect([await again.messages.nextExpiry(), (await expire(again, at + 9)).answers, await again.messages.nextExpiry()]).toEqual([
      at + 9,
      [['b']],
      null,
    ]);
    expect(seen).toEqual([
      [direct, ['b'], null],
      [handed, [], null],
      [offer, ['b'], 'open'],
    ]);
    expect((await waiting(again, 'b')).slice(0, 2)).toEqual([handed, 4]);
    expect((await again.claims.listWork('default', { addresses: null, held: true, after: 0, limit: 9 })).items).toEqual([]);
  });

  inFolder('old mail that nobody was handed is ended once, oldest first and a stretch at a time; work is left alone', async (store) => {
    for (const to of ['id:b', 'id:c', 'id:b']) await send(store, { from: 'a', to });
    await sent(store, 'tag:x', { claimable: true });
    await store.deliveries.change('default', 'c', [2], ({ found }) => moveCopy(found, { state: 'dispatched' }, at));
    const round = async (before: number) => {
      const ended: number[] = [];
      for (let hasMore = true; hasMore; ) {
        ({ hasMore } = await store.retention.expire({ before, now: at + 9, limit: 2 }, (facts) => {
          ended.push(facts.found.message.id);
          return expired(at + 9)(facts);
        }));
      }
      return ended;
    };
    expect([await round(at), await round(at + 1), await round(at + 1)]).toEqual([[], [1, 3], []]);
    expect(await waiting(store, 'b')).toEqual([]);
  });

  inFolder('a message for many that was taken back waits for none of them, and runs out without a word', async (store) => {
    await store.agents.change('default', 'b', register('b', { tags: ['x'] }));
    const id = await sent(store, 'tag:x', { expiresAt: at + 5 });
    const open = () =>
      store.messages.remove('default', id, ({ found, open: copies }) => ({
        answer: copies.map(({ agentId }) => agentId),
        change: found && { at, emptied: [{ ...found.message, body: '', deletedAt: at }] },
      }));
    expect([(await open()).answer, (await open()).answer, await waiting(store, 'b')]).toEqual([['b'], [], []]);
    const head = store.log.head;
    expect(await store.messages.expire(at + 5, 10, expired(at + 5))).toEqual({ count: 1, answers: [[]] });
    expect(await typesOf(store, head)).toEqual([]);
  });

  inFolder('a lease that ran out opens its work again for whoever is next, with a higher fence', async (store, reopen) => {
    await store.agents.change('default', 'b', register('b', { tags: ['x'] }));
    const id = await sent(store, 'tag:x', { claimable: true });
    expect(await typesOf(store, id)).toEqual(['work.available']);
    await claim(store, id, 'c1');
    expect(await store.claims.nextExpiry()).toBe(at + 10);
    expect(await work(store, id)).toEqual([{ status: 'held', fence: 1 }, 'c1', 'held']);
    const expire = (now: number) => store.claims.expire(now, 10, (held) => expireClaim(held, now));
    expect([await expire(at + 9), await expire(at + 10), await expire(at + 10)]).toEqual([0, 1, 0]);
    for (const each of [store, await reopen()]) {
      expect([await work(each, id), await each.claims.nextExpiry()]).toEqual([[{ status: 'open', fence: 1 }, 'c1', 'expired'], null]);
      expect(await waiting(each, 'b')).toHaveLength(2);
    }
    await claim(store, id, 'c2');
    expect(await work(store, id)).toEqual([{ status: 'held', fence: 2 }, 'c2', 'held']);
  });

  inFolder(
    'what a claim makes of its work: given back it is open, finished it is closed, cancelled no write under its fence counts',
    async (store) => {
      const cases = [
        ['released', { status: 'released', reason: null }, { status: 'open', fence: 1 }],
        ['completed', { status: 'completed', result: 'ok' }, { status: 'closed', fence: 1 }],
        ['cancelled', { status: 'cancelled', reason: null }, { status: 'closed', fence: 2 }],
      ] as const;
      for (const [name, ending, expected] of cases) {
        const id = await sent(store, 'tag:x', { claimable: true });
        await claim(store, id, name);
        await store.claims.change('default', { claimId: name }, ({ claim: found }) =>
          writes(found?.status === 'held' ? { claims: [endClaim(found, ending, at)] } : {}),
        );
        expect(await work(store, id)).toEqual([expected, name, name]);
      }
      const offered = await store.claims.listWork('default', { addresses: ['tag:x'], held: false, after: 0, limit: 9 });
      expect(offered.items.map(({ stored }) => stored.message.id)).toHaveLength(1);
    },
  );

  inFolder('leases that are moved end as much later as the clock was moved, in the claim as in the order', async (store, reopen) => {
    const [first, second] = [await sent(store, 'tag:x', { claimable: true }), await sent(store, 'tag:x', { claimable: true })];
    await claim(store, first, 'held');
    await claim(store, second, 'over');
    await store.claims.change('default', { claimId: 'over' }, ({ claim: found }) =>
      writes(found?.status === 'held' ? releaseAll([found], 'done', at) : {}),
    );
    const head = store.log.head;
    await store.claims.moveLeases(500);
    for (const each of [store, await reopen()]) {
      expect([await each.claims.get('default', 'held'), await each.claims.nextExpiry()]).toMatchObject([
        { leaseExpiresAt: at + 510 },
        at + 510,
      ]);
      expect(await each.claims.get('default', 'over')).not.toHaveProperty('leaseExpiresAt');
      expect(each.log.head).toBe(head);
    }
  });

  inFolder('the oldest copies that nobody was handed are told by when they began to wait', async (store, reopen) => {
    for (const createdAt of [at, at + 1, at + 2, at + 3]) await sent(store, 'id:b', { createdAt });
    await store.deliveries.change('default', 'b', [1], ({ found }) => moveCopy(found, { state: 'delivered', evidence: 'ack' }, at));
    for (const each of [store, await reopen()]) {
      expect(await each.deliveries.untouched('default', 'b', 10)).toEqual([at + 1, at + 2, at + 3]);
      expect(await each.deliveries.untouched('default', 'b', 2)).toEqual([at + 1, at + 2]);
      expect([await each.deliveries.untouched('default', 'c', 2), await each.deliveries.untouched('other', 'b', 2)]).toEqual([[], []]);
    }
  });

  inFolder(
    'mail of a person that failed is a dead letter until it has arrived everywhere, is taken back or dismissed',
    async (store, reopen) => {
      await store.agents.change('default', 'ada', register('ada', { kind: 'user' }));
      for (const id of ['b', 'c']) await store.agents.change('default', id, register(id, { tags: ['x'] }));
      const [fanned, taken, dismissed] = [
        await sentBy(store, 'ada', 'tag:x'),
        await sentBy(store, 'ada', 'id:b'),
        await sentBy(store, 'ada', 'id:b'),
      ];
      const ofAgent = await sentBy(store, 'b', 'id:c');
      const move = (agentId: string, id: number, state: 'failed' | 'delivered') =>
        store.deliveries.change('default', agentId, [id], ({ found }) => moveCopy(found, { state }, at));
      await move('b', fanned, 'failed');
      await move('c', fanned, 'failed');
      await move('c', ofAgent, 'failed');
      for (const id of [taken, dismissed]) await move('b', id, 'failed');
      for (const each of [store, await reopen()]) expect(await deadLetters(each)).toEqual([fanned, taken, dismissed]);
      expect(await store.messages.countDeadLetters('other')).toMatchObject({ count: 0 });
      await move('b', fanned, 'delivered');
      expect(await deadLetters(store)).toContain(fanned);
      await move('c', fanned, 'delivered');
      await store.messages.remove('default', taken, ({ found }) => writes(found ? { emptied: [found.message] } : {}));
      const dismiss = (id: number) =>
        store.messages.dismiss('default', id, ({ found, isDeadLetter }) => ({
          answer: isDeadLetter,
          change: found && { at, deadLetters: [{ messageId: id, from: found.message.from, status: 'over' }] },
        }));
      expect([await dismiss(dismissed), await dismiss(dismissed), await dismiss(fanned)]).toEqual([true, false, false]);
      for (const each of [store, await reopen()]) expect(await deadLetters(each)).toEqual([]);
    },
  );

  inFolder('mail of a person that ran out before anybody was handed it is a dead letter, fanned out or not', async (store) => {
    await store.agents.change('default', 'ada', register('ada', { kind: 'user' }));
    await store.agents.change('default', 'b', register('b', { tags: ['x'] }));
    for (const to of ['id:b', 'tag:x']) await sentBy(store, 'ada', to, { expiresAt: at + 1 });
    await sentBy(store, 'c', 'id:b', { expiresAt: at + 1 });
    await store.messages.expire(at + 1, 10, expired(at + 1));
    const ids = (await allEvents(store, 100)).flatMap((event) =>
      event.type === 'message.new' && event.message.from === 'ada' ? [event.message.id] : [],
    );
    expect(await deadLetters(store)).toEqual(ids);
  });
}

const expired =
  (now: number) =>
  (facts: ExpiryFacts): Decision<readonly string[]> =>
    expireMessage(facts, { reason: 'too late', wasHandedOver: () => false, now });

async function sentBy(store: Store, from: string, to: string, over: Partial<NewMessage['draft']> = {}): Promise<number> {
  const { sent: stored } = await store.messages.send({ workspace: 'default', from, replyTo: null, idempotencyKey: null }, () => {
    const { draft, matched } = newMessage(from, to);
    return writes({ sent: [{ matched, draft: { ...draft, ...over } }] });
  });
  return stored[0]?.message.id ?? 0;
}

const sent = (store: Store, to: string, over: Partial<NewMessage['draft']>) => sentBy(store, 'a', to, over);

const waiting = async (store: Store, agentId: string) =>
  (await store.deliveries.waiting('default', agentId, 0, 10)).items.map(({ message }) => message.id);

const claim = (store: Store, messageId: number, claimId: string) =>
  store.claims.change('default', { messageId }, ({ work: found, claim: current, kind }) => {
    const request = { claimId, kind, subjectId: messageId, agentId: 'b', epoch: 1, now: at, leaseMs: 10 };
    const taken = takeClaim(found, current, request);
    return writes({ claims: [taken.claim], events: [claimEvent('message.claimed', taken.claim, at)] });
  });

const work = async (store: Store, messageId: number) =>
  (
    await store.claims.change('default', { messageId }, ({ work: found, claim: newest }) => ({
      answer: [found, newest?.claimId, newest?.status],
      change: null,
    }))
  ).answer;

async function deadLetters(store: Store): Promise<number[]> {
  const { items } = await store.messages.list({ workspace: 'default', deadLetter: true, after: 0, limit: 10 });
  const { count } = await store.messages.countDeadLetters('default');
  expect(count).toBe(items.length);
  return items.map(({ message }) => message.id);
}
