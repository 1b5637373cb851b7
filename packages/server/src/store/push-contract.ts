import { RelayError } from 'agent-relay-protocol';
import { expect } from 'vitest';
import type { WaitingPush } from '../domain/push-digest.ts';
import type { NewPush, PushStep, PushSubscriber } from './push-store.ts';
import type { Store } from './store.ts';
import { at, type InFolder, send } from './store-contract-parts.ts';

/** The part of the store contract about pushes. */
export function pushStoreContract(inFolder: InFolder): void {
  inFolder('a browser is subscribed once: what has its endpoint keeps its id, and others go as is chosen', async (store, reopen) => {
    await send(store, { from: 'a', to: 'id:b' });
    expect(await store.pushes.readThrough('default')).toBe(null);
    const first = await store.pushes.subscribe(someSubscriber('one'), () => []);
    expect(await store.pushes.readThrough('default')).toBe(1);
    await send(store, { from: 'a', to: 'id:b' });
    const again = await store.pushes.subscribe({ ...someSubscriber('one'), id: 'new', topics: ['stalls'], label: 'Phone' }, () => []);
    expect(again).toEqual({ ...first, topics: ['stalls'], label: 'Phone' });
    await store.pushes.subscribe({ ...someSubscriber('one'), id: 'elsewhere', workspace: 'other' }, (all) => all);
    const refused = store.pushes.subscribe(someSubscriber('two'), () => {
      throw new RelayError('busy', 'no');
    });
    await expect(refused).rejects.toMatchObject({ code: 'busy' });
    const chosen = await store.pushes.subscribe(someSubscriber('two'), (all) => all);
    for (const each of [store, await reopen()]) {
      expect(await each.pushes.subscribers('default')).toEqual([chosen]);
      expect(await each.pushes.subscribers('other')).toHaveLength(1);
      expect(await each.pushes.readThrough('default')).toBe(1);
    }
    expect([await store.pushes.unsubscribe('other', 'two'), await store.pushes.unsubscribe('default', 'two')]).toEqual([false, true]);
    expect([await store.pushes.unsubscribe('default', 'two'), await store.pushes.subscribers('default')]).toEqual([false, []]);
  });

  inFolder('pushes go out in the order of their time, one of a browser at a time, and each is tried or settled', async (store, reopen) => {
    const [one, two] = [await subscribed(store, 'one'), await subscribed(store, 'two', 'elsewhere')];
    await take(store, {
      through: 7,
      news: [push(one, 'message/1', { nextAt: at + 1 }), push(one, 'message/2'), push(two, 'message/1', { urgency: 'high' })],
    });
    const other = await reopen();
    expect(await other.pushes.readThrough('default')).toBe(7);
    expect((await other.pushes.origins('default')).toSorted()).toEqual(['elsewhere', 'service']);
    expect(await due(other, at)).toEqual(['message/2']);
    expect((await other.pushes.due('default', 'elsewhere', at, 10)).map(({ tag, urgency, type }) => [tag, urgency, type])).toEqual([
      ['message/1', 'high', 'news'],
    ]);
    const [first] = await store.pushes.due('default', 'service', at, 10);
    expect(first).toMatchObject({ subjectId: one, attempts: 0, deadlineAt: at + 100, body: '{"tag":"message/2"}' });
    await settle(store, first?.id, 'pending', at + 50);
    expect([await due(store, at), await due(store, at + 1), await store.pushes.nextDue('default', 'service')]).toEqual([
      [],
      ['message/1'],
      at + 1,
    ]);
    const [second] = await store.pushes.due('default', 'service', at + 1, 10);
    await settle(store, second?.id, 'dead');
    expect(await due(store, at + 50)).toEqual(['message/2']);
    expect((await store.pushes.due('default', 'service', at + 50, 10))[0]).toMatchObject({ attempts: 1 });
    await settle(store, first?.id, 'delivered');
    expect([await due(store, at + 99), await store.pushes.nextDue('default', 'service')]).toEqual([[], null]);
    expect((await store.pushes.tags('default')).toSorted()).toEqual(['message/1', 'message/2']);
    expect([await store.pushes.forget(at + 100, 10), await store.pushes.forget(at + 101, 10)]).toEqual([0, 2]);
    expect(await store.pushes.tags('default')).toEqual([]);
  });

  inFolder('what is over is not pushed where it was not yet, and replaced where it may have arrived', async (store) => {
    const ids = new Map<string, number>();
    for (const name of ['waits', 'tried', 'sending', 'taken']) ids.set(name, await subscribed(store, name, name));
    await take(store, { news: [...ids.values()].map((ref) => push(ref, 'approval/1')) });
    const pushOf = async (name: string) => (await store.pushes.due('default', name, at, 1))[0]?.id ?? 0;
    await settle(store, await pushOf('tried'), 'pending', at + 5);
    await settle(store, await pushOf('taken'), 'delivered');
    const underWay = new Set([await pushOf('sending')]);
    await take(store, { underWay, ends: [{ tag: 'approval/1', at: at + 1, deadlineAt: at + 9, body: '{"over":true}' }] });
    const after = async (name: string) =>
      (await store.pushes.due('default', name, at + 5, 9)).map(({ type, tag, body }) => [type, tag, body]);
    expect(await after('waits')).toEqual([]);
    for (const name of ['tried', 'sending', 'taken']) expect(await after(name)).toEqual([['over', 'approval/1', '{"over":true}']]);
    // What told of the end needs no end itself.
    await settle(store, (await store.pushes.due('default', 'taken', at + 5, 1))[0]?.id, 'delivered');
    expect([await after('taken'), await store.pushes.forget(at + 10, 10)]).toEqual([[], 2]);
  });

  inFolder('what is said anew takes the place of what was said, and of too much one push is made', async (store) => {
    const ref = await subscribed(store, 'one');
    await take(store, { news: [push(ref, 'message/1', { body: 'old' }), push(ref, 'message/1', { body: 'new' })] });
    expect((await store.pushes.due('default', 'service', at, 9)).map(({ body }) => body)).toEqual(['new']);
    const seen: string[][] = [];
    const gather = (waiting: readonly WaitingPush[]) => {
      seen.push(waiting.map(({ tag }) => tag));
      const { id: _id, ...last } = waiting.at(-1) ?? { id: 0, ...push(ref, 'none') };
      return { gone: waiting.map(({ id }) => id), push: { ...last, tag: 'message', nextAt: at, deadlineAt: at + 9 } };
    };
    await take(store, { mostWaiting: 2, gather, news: [push(ref, 'message/2'), push(ref, 'message/3')] });
    expect([seen, await store.pushes.tags('default')]).toEqual([[['message/1', 'message/2', 'message/3']], ['message']]);
    await store.pushes.holdBack(ref, at + 20);
    expect([await due(store, at + 19), await due(store, at + 20)]).toEqual([[], ['message']]);
    await store.pushes.holdBack(ref, at);
    expect(await store.pushes.nextDue('default', 'service')).toBe(at + 20);
    expect([await store.pushes.gather(ref, () => null), await store.pushes.tags('default')]).toEqual([false, ['message']]);
    expect(await store.pushes.gather(ref, gather)).toBe(true);
  });
}

export const someSubscriber = (name: string, origin = 'service'): Omit<PushSubscriber, 'ref'> => ({
  id: name,
  workspace: 'default',
  holder: name,
  createdBy: 'owner',
  origin,
  endpoint: `https://${origin}.test/${name}`,
  p256dh: 'p',
  auth: 'a',
  serverKey: 'k',
  topics: ['approvals', 'mail'],
  label: null,
  createdAt: at,
});

const subscribed = async (store: Store, name: string, origin?: string) =>
  (await store.pushes.subscribe(someSubscriber(name, origin), () => [])).ref;

const push = (subscriber: number, tag: string, over: Partial<NewPush> = {}): NewPush => ({
  subscriber,
  tag,
  urgency: 'normal',
  nextAt: at,
  deadlineAt: at + 100,
  body: JSON.stringify({ tag }),
  ...over,
});

const take = (store: Store, step: Partial<PushStep>) =>
  store.pushes.take('default', { through: 1, news: [], ends: [], underWay: new Set(), mostWaiting: 9, gather: () => null, ...step });

const due = async (store: Store, now: number) => (await store.pushes.due('default', 'service', now, 10)).map(({ tag }) => tag);

const settle = (store: Store, id: number | undefined, status: 'pending' | 'delivered' | 'dead', nextAttemptAt: number | null = null) =>
  store.pushes.settle(id ?? 0, { status, nextAttemptAt, lastStatus: null, lastError: null, at });
