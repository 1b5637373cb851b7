import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenPair, RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { NewEvent } from '../domain/change.ts';
import { moveCopy } from '../domain/delivery-changes.ts';
import type { Decision, DeliveryFacts, Facts } from '../domain/facts.ts';
import { openPairOf, pairKey, pairResource } from '../domain/pair.ts';
import { type RegistrationFound, registerAgent } from '../domain/registration.ts';
import { recordWrite } from '../domain/resource.ts';
import { approvalStoreContract } from './approval-contract.ts';
import { bookStoreContract } from './book-contract.ts';
import { expiryStoreContract } from './expiry-contract.ts';
import { holdStoreContract } from './hold-store-contract.ts';
import { nodeStoreContract } from './node-contract.ts';
import { pushStoreContract } from './push-contract.ts';
import { searchStoreContract } from './search-contract.ts';
import type { Store } from './store.ts';
import { allEvents, at, newMessage, register, send, typesOf, writes } from './store-contract-parts.ts';
import { someTask, taskContract } from './task-contract.ts';
import { tokenStoreContract } from './token-contract.ts';

/** Opens a store on a folder; opening it again must find what was there. */
export type OpenStore = (folder: string) => Promise<Store>;

/** What every engine promises. Each test names in its title what would be lost without it. */
export function storeContract(name: string, open: OpenStore): void {
  const inFolder = (title: string, run: (store: Store, reopen: () => Promise<Store>) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'agent-relay-store-'));
      const opened: Store[] = [];
      const next = async () => {
        const store = await open(folder);
        opened.push(store);
        return store;
      };
      try {
        await run(await next(), next);
      } finally {
        for (const store of opened) await store.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });

  inFolder('an acknowledged write is there for a second reader of the same file', async (store, reopen) => {
    const { message } = await send(store, { from: 'a', to: 'id:b' });
    const other = await reopen();
    expect((await other.messages.get('default', message.id))?.message).toEqual(message);
    expect((await other.deliveries.waiting('default', 'b', 0, 10)).items.map(({ message: { id } }) => id)).toEqual([message.id]);
  });

  inFolder('writes of one turn are decided in order, each after the one before', async (store) => {
    const seen: number[] = [];
    await Promise.all(Array.from({ length: 50 }, () => send(store, { from: 'a', to: 'id:b', seen: ({ nextId }) => seen.push(nextId) })));
    expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  inFolder('a decision that refuses changes nothing, takes no number and spoils no other write of its turn', async (store) => {
    const refused = send(store, {
      from: 'a',
      to: 'id:b',
      seen: () => {
        throw new RelayError('forbidden', 'no');
      },
    });
    const [outcome, accepted] = await Promise.allSettled([refused, send(store, { from: 'a', to: 'id:b' })]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'forbidden' } });
    expect(accepted).toMatchObject({ status: 'fulfilled', value: { message: { id: 1 } } });
    expect(store.log.head).toBe(1);
  });

  inFolder('a decision that breaks undoes its own write wholly and spoils no other write of its turn', async (store, reopen) => {
    await store.agents.change('default', 'a', register('a', { tags: ['x'] }));
    const before = store.log.head;
    const broken = store.agents.change('default', 'broken', (found) => withNoSuchTask(register('broken', { tags: ['x'] })(found)));
    const [outcome, accepted] = await Promise.allSettled([broken, send(store, { from: 'a', to: 'tag:x' })]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'Task 999 has no row' } });
    expect(accepted).toMatchObject({ status: 'fulfilled', value: { message: { id: before + 1 } } });
    for (const each of [store, await reopen()]) {
      expect(each.agents.index.in('default').find('broken')?.agent ?? null).toBe(null);
      expect([...each.agents.index.in('default').members('tag:x')].map(({ agentId }) => agentId)).toEqual(['a']);
      expect((await typesOf(each, 0)).length).toBe(2);
    }
  });

  inFolder('mail of a write that was undone waits for nobody, whoever gets its number', async (store) => {
    const undone = store.agents.change('default', 'a', () => withNoSuchTask(writes({ sent: [newMessage('relay', 'id:b')] })));
    await expect(undone).rejects.toThrow('Task 999 has no row');
    await store.agents.change('default', 'b', register('b', { tags: [] }));
    const { message } = await send(store, { from: 'a', to: 'id:c' });
    expect(message.id).toBe(2);
    expect(await store.deliveries.change('default', 'b', [message.id], delivered)).toEqual([]);
    expect((await store.deliveries.waiting('default', 'b', 0, 10)).items).toEqual([]);
  });

  inFolder('a change and the event that tells of it are seen together or not at all', async (store) => {
    const atBell: unknown[] = [];
    const stop = store.log.onCommit(() => atBell.push([store.log.head, store.agents.index.in('default').find('a')?.agent?.id]));
    const changing = store.agents.change('default', 'a', register('a', { tags: [] }));
    expect([store.log.head, store.agents.index.in('default').find('a')]).toEqual([0, undefined]);
    await changing;
    stop();
    expect(atBell).toEqual([[1, 'a']]);
    expect(await typesOf(store, 0)).toEqual(['agent.registered']);
  });

  inFolder('numbers go on where they stopped, whatever was pruned', async (store, reopen) => {
    for (let count = 0; count < 3; count += 1) await send(store, { from: 'a', to: 'id:b' });
    await store.deliveries.change('default', 'b', [1, 2, 3], delivered);
    expect(store.log.head).toBe(6);
    while (await store.retention.prune(at + 1, 2));
    await store.close();
    const later = await reopen();
    expect([later.log.head, later.log.floor]).toEqual([6, 6]);
    expect((await send(later, { from: 'a', to: 'id:b' })).message.id).toBe(7);
  });

  inFolder('a log generation is made with the store and kept', async (store, reopen) => {
    const { generation } = store.log;
    await store.close();
    expect((await reopen()).log.generation).toBe(generation);
    expect(generation.length).toBeGreaterThan(20);
  });

  inFolder('a page of the log holds no more text than asked for, and pages of any size add up to the log', async (store, reopen) => {
    for (const length of [10, 1_000, 10, 10, 50_000, 10]) {
      await send(store, { from: 'a', to: 'id:b', body: 'x'.repeat(length) });
      await store.agents.change('default', 'b', register('b', { tags: [] }));
    }
    for (const each of [store, await reopen()]) {
      const whole = await allEvents(each, 1_000);
      for (const maxCharacters of [1, 700, 1_200, 100_000]) expect(await allEvents(each, 3, maxCharacters)).toEqual(whole);
      const { entries, through } = await each.log.read(0, 100, 2_500);
      expect(entries.reduce((sum, { characters }) => sum + characters, 0)).toBeLessThanOrEqual(2_500);
      expect(entries.length).toBeGreaterThan(2);
      expect(through).toBe(entries.at(-1)?.last);
    }
  });

  inFolder('the log reads the same in pages of any size, in memory and on disk', async (store, reopen) => {
    await store.agents.change('default', 'b', register('b', { tags: ['x'] }));
    for (let count = 0; count < 10; count += 1) {
      const { message } = await send(store, { from: 'a', to: count % 2 === 0 ? 'id:b' : 'tag:x' });
      if (count % 3 === 0) await store.deliveries.change('default', 'b', [message.id], delivered);
    }
    const other = await reopen();
    const whole = await allEvents(store, 1_000);
    expect(whole.map(({ seq }) => seq)).toEqual(Array.from({ length: store.log.head }, (_, index) => index + 1));
    for (const each of [store, other]) for (const limit of [1, 2, 3, 7]) expect(await allEvents(each, limit)).toEqual(whole);
  });

  inFolder('equal receipts of a turn take a number each, in the order they were given', async (store) => {
    for (let count = 0; count < 4; count += 1) await send(store, { from: 'a', to: 'id:b' });
    await Promise.all([1, 2, 3, 4].map((id) => store.deliveries.change('default', 'b', [id], delivered)));
    const receipts = (await allEvents(store, 100)).slice(4);
    expect(receipts).toMatchObject([1, 2, 3, 4].map((messageId, index) => ({ type: 'delivery.delivered', seq: 5 + index, messageId })));
  });

  inFolder(
    'whoever sends under an idempotency key is shown what was sent under it, by the same sender, also in the same turn',
    async (store) => {
      const earlier: (number | null)[] = [];
      const keyed = (from: string) =>
        send(store, {
          from,
          to: 'id:b',
          key: { key: 'k', digest: 'x' },
          seen: ({ earlier: found }) => {
            earlier.push(found && 'stored' in found ? found.stored.message.id : null);
            if (found) throw new RelayError('busy', found.digest);
          },
        });
      const outcomes = await Promise.allSettled([keyed('a'), keyed('a'), keyed('c')]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(outcomes[1]).toMatchObject({ reason: { message: 'x' } });
      expect(earlier).toEqual([null, 1, null]);
    },
  );

  inFolder('memberships are intervals, and stay what they were when nothing changes', async (store, reopen) => {
    await store.agents.change('default', 'a', register('a', { tags: ['x'] }));
    await store.agents.change('default', 'a', register('a', { tags: ['x'] }));
    await store.agents.change('default', 'a', register('a', { tags: [] }));
    await store.agents.change('default', 'a', register('a', { tags: ['x'] }));
    const expected = [
      { fromSeq: 1, untilSeq: 3 },
      { fromSeq: 4, untilSeq: null },
    ];
    expect(store.agents.index.in('default').find('a')?.intervals.get('tag:x')).toEqual(expected);
    expect((await reopen()).agents.index.in('default').find('a')?.intervals.get('tag:x')).toEqual(expected);
  });

  inFolder('a removed address keeps its epoch', async (store, reopen) => {
    await store.agents.change('default', 'a', register('a', {}, { epoch: 4 }));
    await store.agents.remove('default', 'a', { after: 0, limit: 100 }, () =>
      writes({ agents: [{ id: 'a', agent: null }], events: [{ type: 'agent.removed', at, agentId: 'a' }] }),
    );
    const other = await reopen();
    const { answer: epoch } = await other.agents.change('default', 'a', (found) => ({ answer: found.epoch, change: null }));
    expect(epoch).toBe(4);
  });

  inFolder('waiting mail is what is open, direct and fanned out, in order', async (store, reopen) => {
    await store.agents.change('default', 'b', register('b', { tags: ['x'] }));
    const ids: number[] = [];
    for (const to of ['id:b', 'tag:x', 'tag:y', 'id:b', 'tag:x']) ids.push((await send(store, { from: 'a', to })).message.id);
    await store.deliveries.change('default', 'b', [ids[0] ?? 0, ids[4] ?? 0], delivered);
    await store.deliveries.change('default', 'b', [ids[1] ?? 0], ({ found }) => moveCopy(found, { state: 'dispatched' }, at));
    for (const each of [store, await reopen()]) {
      const { items, through } = await each.deliveries.waiting('default', 'b', 0, 10);
      expect(items.map(({ message, record }) => [message.id, record.state])).toEqual([
        [ids[1], 'dispatched'],
        [ids[3], 'queued'],
      ]);
      expect(through).toBe(each.log.head);
    }
  });

  inFolder('a pair has the number of its invitation, and both are written or neither', async (store, reopen) => {
    const pair = await store.records.begin('default', invite('a', 'b'));
    const refused = store.records.begin('default', () => {
      throw new RelayError('busy', 'no');
    });
    await expect(refused).rejects.toMatchObject({ code: 'busy' });
    expect([store.log.head, await typesOf(store, 0)]).toEqual([2, ['message.new', 'pair.requested']]);
    for (const each of [store, await reopen()]) {
      expect(await each.records.get(pairResource, 'default', pair.id)).toEqual(pair);
      expect(await each.records.get(pairResource, 'other', pair.id)).toBe(null);
      expect((await each.messages.get('default', pair.id))?.message.to).toBe('id:b');
    }
  });

  inFolder('invitations of one turn see each other, so that an agent is in one open pair at most', async (store) => {
    const request = (requester: string, target: string) =>
      store.records.begin('default', (facts) => {
        for (const side of [requester, target]) if (openPairOf(facts.records, side)) throw new RelayError('busy', side);
        return invite(requester, target)(facts);
      });
    const outcomes = await Promise.allSettled([request('a', 'b'), request('b', 'a'), request('c', 'b'), request('c', 'd')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  });

  inFolder('a pair is open for both of its sides until it is over, also after a restart', async (store, reopen) => {
    const { id } = await store.records.begin('default', invite('a', 'b'));
    const openOf = (each: Store) =>
      each.records.change(pairResource, 'default', id, (_pair, { records }) => ({
        answer: ['a', 'b'].map((side) => openPairOf(records, side)?.id),
        change: null,
      }));
    for (const each of [store, await reopen()]) expect(await openOf(each)).toEqual([id, id]);
    const rejected = { ...pendingPair(id, 'a', 'b'), status: 'rejected', endedAt: at, reason: null } as const;
    await store.records.change(pairResource, 'default', id, () => writes({ records: [recordWrite(pairResource, rejected)] }));
    for (const each of [store, await reopen()]) {
      expect(await openOf(each)).toEqual([undefined, undefined]);
      expect((await each.records.list(pairResource, { workspace: 'default', under: pairKey({ agent: 'b' }), limit: 10 })).items).toEqual([
        rejected,
      ]);
    }
  });

  inFolder('what a channel brought is there once, with its links, whatever is asked again after a restart', async (store, reopen) => {
    const subject = { workspace: 'default', channelId: 'tg', conversationId: 'chat', externalId: '10', replyToExternalId: null };
    const link = { conversationId: 'chat', externalId: '10' };
    const first = await store.channels.receive(subject, ({ earlier }) => {
      const sent = [newMessage('tg', 'id:a'), newMessage('tg', 'id:b')].map((message) => ({ ...message, link }));
      return { answer: earlier.length, change: { at, sent } };
    });
    expect([first.answer, first.sent.map(({ message }) => message.to)]).toEqual([0, ['id:a', 'id:b']]);
    const ids = first.sent.map(({ message }) => message.id);
    for (const each of [store, await reopen()]) {
      const again = await each.channels.receive(subject, ({ earlier }) => ({ answer: earlier, change: null }));
      expect([again.answer.map(({ message }) => message.id), again.sent]).toEqual([ids, []]);
      expect(await each.channels.linksOf('default', 'tg', ids[0] ?? 0)).toEqual([
        { messageId: ids[0], conversationId: 'chat', externalId: '10' },
      ]);
      expect(await each.channels.linksOf('other', 'tg', ids[0] ?? 0)).toEqual([]);
    }
    const refused = store.channels.receive({ ...subject, externalId: '11' }, () => {
      throw new RelayError('unbound_conversation', 'no');
    });
    await expect(refused).rejects.toMatchObject({ code: 'unbound_conversation' });
    expect(store.log.head).toBe(2);
  });

  inFolder('a binding and the event that tells of it are one write, and both go with the channel', async (store, reopen) => {
    const channel = (found: RegistrationFound) => {
      const { agent } = registerAgent(found, { id: 'tg', name: 'tg', kind: 'channel' }, null, at);
      return writes({ agents: [{ id: 'tg', agent }], events: [{ type: 'agent.registered', at, agent }] });
    };
    await store.agents.change('default', 'tg', channel);
    const binding = {
      bindingId: 'b',
      channelId: 'tg',
      conversationId: 'chat',
      target: 'id:a',
      mode: 'exclusive',
      createdAt: at,
      createdBy: 'owner',
    } as const;
    const conversation = { workspace: 'default', channelId: 'tg', conversationId: 'chat' };
    const bound = writes({ events: [{ type: 'channel.bound', at, binding }], bound: [binding] });
    const seen = () => store.channels.bind(conversation, ({ existing }) => ({ answer: existing, change: null }));
    expect(await seen()).toEqual([]);
    await store.channels.bind(conversation, () => bound);
    expect(await seen()).toEqual([binding]);
    const link = { channelId: 'tg', conversationId: 'chat', externalId: 'x', messageId: 1, part: 0 };
    await store.channels.link('default', 1, () => ({ at, links: [link] }));
    for (const each of [store, await reopen()]) expect(await each.channels.bindings('default')).toEqual([binding]);
    await store.agents.remove('default', 'tg', { after: 0, limit: 100 }, () =>
      writes({ agents: [{ id: 'tg', agent: null }], events: [{ type: 'agent.removed', at, agentId: 'tg' }] }),
    );
    for (const each of [store, await reopen()]) {
      expect([await each.channels.bindings('default'), await each.channels.linksOf('default', 'tg', 1)]).toEqual([[], []]);
      expect(await typesOf(each, 0)).toEqual(['agent.registered', 'channel.bound', 'agent.removed', 'channel.unbound']);
    }
  });

  inFolder('records are counted under each key that is asked for, without those of others', async (store, reopen) => {
    const { id } = await store.records.begin('default', invite('a', 'b'));
    const rejected = { ...pendingPair(id, 'a', 'b'), status: 'rejected', endedAt: at, reason: null } as const;
    await store.records.change(pairResource, 'default', id, () => writes({ records: [recordWrite(pairResource, rejected)] }));
    await store.records.begin('default', invite('a', 'c'));
    await store.records.begin('other', invite('a', 'b'));
    const keys = ['a', 'b', 'none'].map((agent) => pairKey({ agent }));
    for (const each of [store, await reopen()]) {
      const { counts, cursor } = await each.records.count(pairResource, 'default', keys);
      expect([keys.map((key) => counts.get(key) ?? 0), cursor]).toEqual([[2, 1, 0], each.log.head]);
      expect((await each.records.count({ name: 'none' }, 'default', keys)).counts.get(keys[0] ?? '') ?? 0).toBe(0);
    }
  });

  inFolder(
    'a session that shows a token proves who the mail is for; what comes once another without one has begun is not',
    async (store, reopen) => {
      const proven = (each: Store) => each.agents.index.in('default').find('a')?.provenThrough;
      await store.agents.change('default', 'a', register('a', { instanceId: 'i1' }));
      expect(proven(store)).toBe(0);
      await store.agents.change('default', 'a', register('a', { instanceId: 'i2' }, { protected: true }));
      await store.agents.change('default', 'a', register('a', { instanceId: 'i2' }));
      expect(proven(store)).toBe(Number.MAX_SAFE_INTEGER);
      const { cursor } = await store.agents.change('default', 'a', register('a', { instanceId: 'i3' }));
      for (const each of [store, await reopen()]) expect(proven(each)).toBe(cursor);
      await store.agents.change('default', 'a', register('a', { instanceId: 'i4' }));
      await store.agents.remove('default', 'a', { after: 0, limit: 1 }, () => writes({ agents: [{ id: 'a', agent: null }] }));
      for (const each of [store, await reopen()]) expect(proven(each)).toBe(cursor);
    },
  );

  taskContract(inFolder);
  approvalStoreContract(inFolder);
  holdStoreContract(inFolder);
  expiryStoreContract(inFolder);
  tokenStoreContract(inFolder);
  nodeStoreContract(inFolder);
  pushStoreContract(inFolder);
  searchStoreContract(inFolder);
  bookStoreContract(inFolder);

  inFolder('closing finishes what is in hand; afterwards writes are refused', async (store, reopen) => {
    const writing = send(store, { from: 'a', to: 'id:b' });
    await store.close();
    const { message } = await writing;
    await expect(send(store, { from: 'a', to: 'id:b' })).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await (await reopen()).messages.get('default', message.id)).not.toBe(null);
  });

  inFolder('a sound store says so', async (store) => {
    await send(store, { from: 'a', to: 'id:b' });
    expect(await store.integrityCheck()).toEqual([]);
    expect(await store.check()).toBe(null);
  });
}

const delivered = ({ found }: DeliveryFacts): Decision<boolean> => moveCopy(found, { state: 'delivered', evidence: 'ack' }, at);

/** Fails in the middle of what it writes. */
const withNoSuchTask = ({ change }: Decision<null>): Decision<null> => {
  const task = { ...someTask, id: 999 };
  return { answer: null, change: { at, ...change, tasks: [{ task, type: 'task.updated', by: 'ops', detail: null }] } };
};

/** A request for a pair, as its two sides see it. */
const invite =
  (requester: string, target: string) =>
  ({ nextId }: Pick<Facts, 'nextId'>): Decision<OpenPair> => {
    const pair = pendingPair(nextId, requester, target);
    const events: readonly NewEvent[] = [{ type: 'pair.requested', at, pair }];
    return {
      answer: pair,
      change: { at, sent: [newMessage(requester, `id:${target}`)], events, records: [recordWrite(pairResource, pair)] },
    };
  };

const pendingPair = (id: number, requester: string, target: string): OpenPair => ({
  id,
  requester,
  target,
  objective: 'talk',
  requestedAt: at,
  status: 'pending',
});
