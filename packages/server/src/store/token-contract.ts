import { expect } from 'vitest';
import type { TokenRecord } from '../domain/change.ts';
import { tokenRevoked } from '../domain/describe-token.ts';
import { registerAgent } from '../domain/registration.ts';
import { endToken } from '../domain/token-changes.ts';
import { someSubscriber } from './push-contract.ts';
import type { Store } from './store.ts';
import {
  allEvents,
  at,
  type InFolder,
  putToken,
  register,
  someSession,
  someToken,
  takeToken,
  typesOf,
  writes,
} from './store-contract-parts.ts';

/** The part of the store contract about what begins and ends with tokens. */
export function tokenStoreContract(inFolder: InFolder): void {
  inFolder('a token is found by its hash, and taken once', async (store) => {
    const token = someToken('t', { hash: 'h', type: 'login' });
    await putToken(store, token);
    expect(await store.tokens.find('h')).toEqual(token);
    const taken = await Promise.all([1, 2, 3].map(() => takeToken(store, { hash: 'h' })));
    expect(taken).toEqual([token, null, null]);
  });

  inFolder('a token that a person made keeps what it may, and is taken out by its id, once', async (store, reopen) => {
    const grants = { kind: 'scoped', scopes: ['messages:write'], targets: ['id:b'], channels: null, createdBy: 'owner' } as const;
    const token = someToken('t', { hash: 'h', agentId: 'a', name: 'script', grants });
    await putToken(store, token);
    await store.agents.change('default', 'a', () => writes({ revokeAgentTokens: ['a'] }));
    const again = await reopen();
    expect(await again.tokens.list('default')).toEqual([token]);
    const take = (workspace: string) => takeToken(again, { workspace, tokenId: 't' });
    expect([await take('other'), await Promise.all([take('default'), take('default')])]).toEqual([null, [token, null]]);
    expect(await again.tokens.find('h')).toBe(null);
  });

  inFolder('what is told of a token is in the commit that makes or ends it, for each token that was there', async (store) => {
    for (const [tokenId, expiresAt] of [
      ['a', null],
      ['b', at],
      ['c', at + 1],
    ] as const)
      await putToken(store, someToken(tokenId, { expiresAt }), 'owner');
    for (let count = 0; count < 2; count += 1) await takeToken(store, { workspace: 'default', tokenId: 'a' }, 'owner');
    const expire = () => store.tokens.expire(at, (record) => endToken(record, at, tokenRevoked(record, at, 'relay')));
    expect([await expire(), await expire()]).toEqual([1, 0]);
    const told = (await allEvents(store, 100)).map((event) => ('token' in event ? `${event.type} ${event.token.tokenId}` : event.type));
    expect(told).toEqual(['token.created a', 'token.created b', 'token.created c', 'token.revoked a', 'token.revoked b']);
  });

  inFolder(
    'a card says that a token speaks for it from the first one to the last, in the commits that write those',
    async (store, reopen) => {
      await store.agents.change('default', 'a', register('a'));
      const said = (each: Store) => {
        const agents = each.agents.index.in('default');
        return [agents.find('a')?.agent?.protected, agents.isBound('a')];
      };
      await putToken(store, someToken('loose'));
      await putToken(store, someToken('of another', { agentId: 'b' }));
      expect(said(store)).toEqual([false, false]);
      await putToken(store, someToken('t1', { agentId: 'a' }), 'owner');
      await putToken(store, someToken('t2', { agentId: 'a', expiresAt: at + 9 }));
      for (const each of [store, await reopen()]) expect(said(each)).toEqual([true, true]);
      await takeToken(store, { workspace: 'default', tokenId: 't1' }, 'owner', at + 5);
      expect(said(store)).toEqual([true, true]);
      await store.tokens.expire(at + 9, (record) => endToken(record, at + 9, tokenRevoked(record, at + 9, 'owner')));
      for (const each of [store, await reopen()]) expect(said(each)).toEqual([false, false]);
      expect((await allEvents(store, 100)).map((event) => [event.type, event.at])).toEqual([
        ['agent.registered', at],
        ['token.created', at],
        ['agent.updated', at],
        ['token.revoked', at + 5],
        ['token.revoked', at + 9],
        ['agent.updated', at + 9],
      ]);
    },
  );

  inFolder('a card that a session holds with its token stays protected when the last token that a person made is gone', async (store) => {
    await store.agents.change('default', 'a', register('a', {}, { protected: true }));
    await store.sessions.begin('default', 'a', () => writes({ tokens: [ofSession('s')] }));
    await putToken(store, someToken('t', { agentId: 'a' }));
    await takeToken(store, { workspace: 'default', tokenId: 't' });
    expect(store.agents.index.in('default').find('a')?.agent?.protected).toBe(true);
  });

  inFolder(
    'a card is protected whatever change brings or ends its token, and says so beside what else that change says of it',
    async (store) => {
      await store.agents.change('default', 'a', register('a'));
      const card = () => store.agents.index.in('default').find('a')?.agent;
      await store.sessions.begin('default', 'other', () => writes({ tokens: [someToken('t', { agentId: 'a' })] }));
      expect(card()?.protected).toBe(true);
      const { agent } = registerAgent({ agent: card() ?? null, epoch: 0, isBound: true }, { id: 'a', name: 'b' }, null, at);
      await store.agents.change('default', 'a', () =>
        writes({ agents: [{ id: 'a', agent, spawnedBy: 'b' }], endedTokens: [someToken('t', { agentId: 'a' })] }),
      );
      expect([card()?.name, card()?.protected, store.agents.index.in('default').find('a')?.spawnedBy]).toEqual(['b', false, 'b']);
      expect(await store.tokens.list('default')).toEqual([]);
    },
  );

  inFolder("an agent's session tokens end with its session, and what people made or nobody used yet stays", async (store) => {
    const code = { type: 'dial', agentId: 'a' } as const;
    for (const token of [someToken('made', { agentId: 'a' }), someToken('unused', code), someToken('used', { ...code, epoch: 1 })])
      await putToken(store, token);
    await store.sessions.begin('default', 'a', () => writes({ tokens: [ofSession('before'), ofSession('other', 'b')] }));
    await store.sessions.begin('default', 'a', () => writes({ revokeAgentTokens: ['a'], tokens: [ofSession('after')] }));
    expect((await store.tokens.list('default')).map(({ tokenId }) => tokenId).sort()).toEqual(['after', 'made', 'other', 'unused']);
  });

  inFolder(
    'links to what an agent did are revoked when a change says so, and each is told; those of others stay',
    async (store, reopen) => {
      const share = (tokenId: string, agentId: string) =>
        someToken(tokenId, { type: 'share', agentId, share: { sessionId: 's', createdBy: 'owner' } });
      for (const token of [share('one', 'a'), share('two', 'a'), share('other', 'b')]) await putToken(store, token);
      const before = store.log.head;
      await store.agents.remove('default', 'a', { after: 0, limit: 10 }, () =>
        writes({ agents: [{ id: 'a', agent: null }], revokeSharesOf: { agentId: 'a', by: 'ada' } }),
      );
      const told = (await allEvents(store, 100)).filter(({ seq }) => seq > before);
      expect(told).toMatchObject(
        ['one', 'two'].map((tokenId) => ({ type: 'token.revoked', at, by: 'ada', token: { tokenId, sessionId: 's' } })),
      );
      expect((await (await reopen()).tokens.list('default')).map(({ tokenId }) => tokenId)).toEqual(['other']);
    },
  );

  inFolder('whatever ends a token ends its pushes with it, and is heard of once after the commit', async (store, reopen) => {
    const heard: string[][] = [];
    store.tokens.onEnded((ended) => heard.push(ended.map(({ tokenId }) => tokenId)));
    const tokens = [
      someToken('taken', { type: 'login' }),
      someToken('removed'),
      someToken('expired', { expiresAt: at }),
      ofSession('session'),
      someToken('share', { type: 'share', agentId: 'a' }),
      someToken('node', { type: 'node', nodeId: 'n' }),
    ];
    for (const token of [...tokens, someToken('kept')]) {
      await putToken(store, token);
      await store.pushes.subscribe(someSubscriber(token.tokenId), () => []);
    }
    const [subscriber] = await store.pushes.subscribers('default');
    const push = {
      subscriber: subscriber?.ref ?? 0,
      tag: 'approval/1',
      urgency: 'high',
      nextAt: at,
      deadlineAt: at + 9,
      body: '{}',
    } as const;
    const step = { through: 0, news: [push], ends: [], underWay: new Set<number>(), mostWaiting: 9, gather: () => null };
    await store.pushes.take('default', step);
    expect(await store.pushes.tags('default')).toEqual(['approval/1']);
    await takeToken(store, { hash: 'taken' });
    await takeToken(store, { workspace: 'default', tokenId: 'removed' });
    await store.tokens.expire(at, (record) => endToken(record, at, null));
    await store.sessions.begin('default', 'a', () => writes({ revokeAgentTokens: ['a'], revokeSharesOf: { agentId: 'a', by: 'ada' } }));
    await store.nodes.change('default', 'n', () => ({ answer: null, change: { at, nodes: [{ nodeId: 'n', node: null }] } }));
    expect(heard).toEqual([['taken'], ['removed'], ['expired'], ['session', 'share'], ['node']]);
    for (const each of [store, await reopen()]) {
      expect((await each.pushes.subscribers('default')).map(({ holder }) => holder)).toEqual(['kept']);
      expect(await each.pushes.tags('default')).toEqual([]);
    }
  });

  inFolder('a session that begins sees which tokens are there, and takes one for itself', async (store) => {
    const code = someToken('t', { type: 'dial', agentId: 'a' });
    await putToken(store, code);
    const take = (epoch: number) =>
      store.sessions.begin('default', 'a', ({ token }) => {
        const found = token(code.hash);
        return { answer: found?.epoch, change: { at, endedTokens: found ? [found] : [], tokens: [{ ...code, epoch }] } };
      });
    expect([await take(1), await take(2)]).toEqual([null, 1]);
    expect(await store.tokens.find(code.hash)).toMatchObject({ epoch: 2 });
    await takeToken(store, { workspace: 'default', tokenId: 't' });
    expect(await store.sessions.begin('default', 'a', ({ token }) => ({ answer: token(code.hash), change: null }))).toBe(null);
  });

  inFolder('a token that a write ended which was undone is there, with its pushes, and nobody hears of it', async (store) => {
    const heard: unknown[] = [];
    store.tokens.onEnded((ended) => heard.push(ended));
    await store.agents.change('default', 'a', register('a'));
    await store.sessions.begin('default', 'a', () => writes({ tokens: [ofSession('t'), someToken('made', { agentId: 'a' })] }));
    await store.pushes.subscribe(someSubscriber('t'), () => []);
    const before = store.log.head;
    const undone = store.tokens.change({ hash: 'made' }, () => {
      throw new TypeError('a bug');
    });
    await expect(undone).rejects.toThrow('a bug');
    const neither = { ...someSession, sessionId: null as never };
    await expect(
      store.sessions.begin('default', 'a', () => writes({ revokeAgentTokens: ['a'], sessions: [someSession, neither] })),
    ).rejects.toThrow();
    expect([heard, await typesOf(store, before)]).toEqual([[], []]);
    expect((await store.tokens.list('default')).map(({ tokenId }) => tokenId).sort()).toEqual(['made', 't']);
    expect(store.agents.index.in('default').isBound('a')).toBe(true);
    expect(await store.pushes.subscribers('default')).toHaveLength(1);
  });
}

const ofSession = (tokenId: string, agentId = 'a'): TokenRecord => someToken(tokenId, { type: 'session', agentId, epoch: 1 });
