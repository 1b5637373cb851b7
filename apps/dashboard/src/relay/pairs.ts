import type { OpenPair, Pair } from 'agent-relay-protocol';
import type { ListView, View } from '../live/view.ts';
import { byId, mergeNewestFirst } from './collect.ts';
import { listUpTo } from './list-up-to.ts';

const OPEN_LIMIT = 1_000;
const ENDED_PAGE = 500;

export const isOpenPair = (pair: Pair): pair is OpenPair => pair.status === 'pending' || pair.status === 'active';

const mergePairs = mergeNewestFirst<Pair>({ keyOf: byId, isOver: (pair) => !isOpenPair(pair), order: byId });

/** Every open pair, and the newest of those that are over, newest first. */
export const pairsView: ListView<Pair> = {
  name: 'pairs',
  route: 'pairs/list',
  read: async (relay) => {
    const newest = await listUpTo(ENDED_PAGE, relay.pairs.list, {});
    if (newest.next === undefined) return { data: mergePairs([], newest.data), cursor: newest.cursor };
    const pending = await listUpTo(OPEN_LIMIT, relay.pairs.list, { status: 'pending' as const });
    const active = await listUpTo(OPEN_LIMIT, relay.pairs.list, { status: 'active' as const });
    return { data: mergePairs(newest.data, [...pending.data, ...active.data]), cursor: newest.cursor };
  },
  apply: (pairs, event) => ('pair' in event ? mergePairs(pairs, [event.pair]) : pairs),
};

/** One pair, also when it is older than what the list holds. */
export const pairView = (id: number): View<Pair> => ({
  name: 'pair',
  id,
  route: 'pairs/get',
  read: async (relay) => ({ data: await relay.pairs.get({ id }), cursor: 0 }),
  apply: (pair, event) => ('pair' in event && event.pair.id === id ? event.pair : pair),
});
