import type { AgentEvent } from 'agent-relay-protocol';
import { expect } from 'vitest';
import type { AuditedAct } from './audit-store.ts';
import type { Store } from './store.ts';
import { at, type InFolder, register, someSession, typesOf, writes } from './store-contract-parts.ts';

/** The part of the store contract about what is written down of who did what, and of what it used. */
export function bookStoreContract(inFolder: InFolder): void {
  inFolder(
    'an act is remembered with its first change, or after it where it changed nothing; one that failed before is not',
    async (store, reopen) => {
      const during = (action: string, work: () => Promise<unknown>) => store.audit.during('default', { ...act, action }, work);
      await during('changes', async () => {
        await store.agents.change('default', 'a', register('a'));
        await store.agents.change('default', 'b', register('b'));
      });
      await during('reads', () => store.messages.get('default', 1));
      await expect(during('refused', () => Promise.reject(new TypeError('no')))).rejects.toThrow('no');
      const refusedLate = during('half', async () => {
        await store.agents.change('default', 'c', register('c'));
        throw new TypeError('late');
      });
      await expect(refusedLate).rejects.toThrow('late');
      const undone = during('undone', () =>
        store.agents.change('default', 'd', () => {
          throw new TypeError('a bug');
        }),
      );
      await expect(undone).rejects.toThrow('a bug');
      await store.audit.during('other', { ...act, action: 'elsewhere' }, () => null);
      for (const each of [store, await reopen()]) {
        expect(await actions(each)).toEqual(['half', 'reads', 'changes']);
        expect(await each.audit.list({ workspace: 'default', action: 'changes', limit: 9 })).toMatchObject({
          items: [{ ...act, action: 'changes', id: 1 }],
          next: null,
        });
        expect(await each.audit.list({ workspace: 'default', by: 'ada', before: 3, limit: 1 })).toMatchObject({
          items: [{ id: 2 }],
          next: 2,
        });
        expect((await each.audit.list({ workspace: 'default', by: 'nobody', limit: 9 })).items).toEqual([]);
        expect(await actions(each, 'other')).toEqual(['elsewhere']);
      }
    },
  );

  inFolder('acts of one turn are linked in their order, and the chain stays whole over pruning and a restart', async (store, reopen) => {
    const did = (action: string, when: number) =>
      store.audit.during('default', { ...act, action, at: when }, () => store.agents.change('default', action, register(action)));
    await Promise.all([did('one', at), did('two', at + 5), did('three', at)]);
    const { items } = await store.audit.list({ workspace: 'default', limit: 9 });
    expect(items.map(({ action }) => action)).toEqual(['three', 'two', 'one']);
    expect(new Set(items.map(({ hash }) => hash)).size).toBe(3);
    expect(await store.audit.verify('default')).toMatchObject({
      sound: true,
      checked: 3,
      broken: null,
      head: { id: 3, hash: items[0]?.hash },
    });
    // The third is as old as the first, and stands behind one that stays.
    expect(await store.audit.prune(at + 1, 9)).toBe(1);
    const again = await reopen();
    expect(await again.audit.verify('default')).toMatchObject({ sound: true, checked: 2, from: { id: 1, hash: items[2]?.hash } });
    expect([await again.audit.prune(at + 6, 1), await again.audit.prune(at + 6, 9)]).toEqual([1, 1]);
    await again.audit.during('default', { ...act, action: 'four' }, () => null);
    expect(await again.audit.verify('default')).toMatchObject({ sound: true, checked: 1, from: { id: 3 }, head: { id: 4 } });
  });

  inFolder(
    'what turns used adds up by day, agent, provider and model, once however often it is told, also after a restart',
    async (store, reopen) => {
      await begin(store, { sessionId: 's', agentId: 'a', model: 'm' });
      await begin(store, { sessionId: 'u', agentId: 'b' });
      const day = Date.UTC(2026, 0, 31, 23, 59, 59, 999);
      await used(store, 's', day, [
        turn({ inputTokens: 10, outputTokens: 2, cachedInputTokens: 4 }),
        { type: 'turn.completed', turnId: 't', outcome: 'finished' },
      ]);
      await used(store, 's', day, [turn({ inputTokens: 10, outputTokens: 2, cachedInputTokens: 4 })]);
      await used(
        store,
        's',
        day,
        [{ type: 'context.compacted' }, turn({ inputTokens: 1, outputTokens: 1, reasoningTokens: 3, costUsd: 0.5 })],
        3,
      );
      await used(store, 's', day + 1, [turn({ inputTokens: 7, outputTokens: 7 })], 5);
      await used(store, 'u', day, [
        turn({ inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 0 }),
        turn({ inputTokens: 5, outputTokens: 0 }),
      ]);
      const first = {
        day: '2026-01-31',
        agentId: 'a',
        provider: 'vendor',
        model: 'm',
        turns: 2,
        inputTokens: 11,
        outputTokens: 3,
        cachedInputTokens: 4,
        reasoningTokens: 3,
        costUsd: 0.5,
      };
      const none = { cachedInputTokens: 0, reasoningTokens: 0, costUsd: 0 };
      const second = { ...first, agentId: 'b', model: null, inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 0, ...none };
      const third = { ...first, day: '2026-02-01', turns: 1, inputTokens: 7, outputTokens: 7, ...none };
      for (const each of [store, await reopen()]) {
        expect((await each.usage.list({ workspace: 'default', limit: 9 })).items).toEqual([first, second, third]);
        expect((await each.usage.list({ workspace: 'other', limit: 9 })).items).toEqual([]);
        const page = await each.usage.list({ workspace: 'default', limit: 2 });
        expect(page.items).toEqual([first, second]);
        expect(await each.usage.list({ workspace: 'default', after: page.next ?? '', limit: 2 })).toMatchObject({
          items: [third],
          next: null,
        });
        expect((await each.usage.list({ workspace: 'default', agent: 'a', until: '2026-01-31', limit: 9 })).items).toEqual([first]);
        expect((await each.usage.list({ workspace: 'default', since: '2026-02-01', limit: 9 })).items).toEqual([third]);
      }
      await expect(store.usage.list({ workspace: 'default', after: 'none', limit: 9 })).rejects.toMatchObject({
        code: 'validation_failed',
      });
      expect([await store.usage.prune('2026-02-01'), (await store.usage.list({ workspace: 'default', limit: 9 })).items]).toEqual([
        2,
        [third],
      ]);
    },
  );

  inFolder('what is told of a session is all there or not at all, with what it used', async (store) => {
    await begin(store, { sessionId: 's', agentId: 'a' });
    const before = await typesOf(store, 0);
    const gap = used(store, 's', at, [turn({ inputTokens: 1, outputTokens: 1 })], 2);
    await expect(gap).rejects.toMatchObject({ code: 'validation_failed' });
    const broken = used(store, 's', at, [turn({ inputTokens: 1, outputTokens: 1 })], 1, () => {
      throw new TypeError('a bug');
    });
    await expect(broken).rejects.toThrow('a bug');
    expect((await store.usage.list({ workspace: 'default', limit: 9 })).items).toEqual([]);
    expect([await store.activity.lastSeq('default', 's'), await typesOf(store, 0)]).toEqual([0, before]);
    await expect(used(store, 'none', at, [])).rejects.toMatchObject({ code: 'not_found' });
  });
}

const act: AuditedAct = { at, by: 'ada', tokenId: 't', action: 'x', subject: 'a', details: { said: 'yes' } };

const actions = async (store: Store, workspace = 'default') =>
  (await store.audit.list({ workspace, limit: 9 })).items.map(({ action }) => action);

const begin = (store: Store, over: { readonly sessionId: string; readonly agentId: string; readonly model?: string }) =>
  store.sessions.begin('default', over.agentId, () => writes({ sessions: [{ ...someSession, ...over }] }));

type Turn = Extract<AgentEvent, { type: 'turn.completed' }>;

const turn = (usage: NonNullable<Turn['usage']>): Turn => ({ type: 'turn.completed', turnId: 't', outcome: 'finished', usage });

const used = (store: Store, sessionId: string, now: number, events: readonly AgentEvent[], from = 1, follow = () => [] as const) =>
  store.activity.append(
    {
      workspace: 'default',
      agentId: 'a',
      sessionId,
      late: false,
      // What a machine's clock says counts for nothing.
      entries: events.map((event, index) => ({ seq: from + index, at: 1, event })),
      now,
    },
    follow,
  );
