import { listAll } from 'agent-relay-client';
import type { CallbackStatus } from 'agent-relay-protocol';
import { READ_AGAIN, type View } from '../live/view.ts';
import { mayEndLetters } from './dead-letters.ts';

// Of what an event says alone nobody knows how it stood before: each of these is counted again by the relay.

/** How many questions wait for an answer. */
export const pendingApprovals: View<number> = {
  name: 'approval-count',
  route: 'approvals/count',
  read: async (relay) => {
    const { counts, cursor } = await relay.approvals.count({ status: 'pending' });
    return { data: counts['pending'] ?? 0, cursor };
  },
  apply: (count, event) => ('approval' in event ? READ_AGAIN : count),
};

/** How many messages wait for a decision. */
export const openHolds: View<number> = {
  name: 'hold-count',
  route: 'holds/count',
  read: async (relay) => {
    const { counts, cursor } = await relay.holds.count({ status: 'held' });
    return { data: counts['held'] ?? 0, cursor };
  },
  apply: (count, event) => ('hold' in event ? READ_AGAIN : count),
};

/** How many pairs talk, or wait for an answer to their invitation. */
export const openPairCount: View<number> = {
  name: 'pair-count',
  route: 'pairs/count',
  read: async (relay) => {
    const { counts, cursor } = await relay.pairs.count({});
    return { data: (counts['pending'] ?? 0) + (counts['active'] ?? 0), cursor };
  },
  apply: (count, event) => ('pair' in event ? READ_AGAIN : count),
};

/** How much mail of people did not arrive, and nobody has looked at. */
export const deadLetterCount: View<number> = {
  name: 'dead-letters',
  route: 'messages/dead',
  read: async (relay) => {
    const { count, cursor } = await relay.messages.dead();
    return { data: count, cursor };
  },
  apply: (count, event) => (mayEndLetters(event) ? READ_AGAIN : count),
};

/** Which agents are there and do not go on. */
export const stalledAgents: View<readonly string[]> = {
  name: 'agents',
  id: 'stalled',
  route: 'agents/list',
  read: async (relay) => {
    const { data, cursor } = await listAll(relay.agents.list, { stalled: true });
    return { data: data.map(({ id }) => id), cursor };
  },
  apply: (ids, event) => {
    if ('agent' in event) return withOrWithout(ids, event.agent.id, event.agent.stalled !== undefined);
    if (event.type === 'agent.stalled') return withOrWithout(ids, event.agentId, true);
    return event.type === 'agent.recovered' || event.type === 'agent.removed' ? withOrWithout(ids, event.agentId, false) : ids;
  },
};

const withOrWithout = (ids: readonly string[], id: string, isIn: boolean): readonly string[] => {
  if (ids.includes(id) === isIn) return ids;
  return isIn ? [...ids, id] : ids.filter((other) => other !== id);
};

/** How many callbacks there are of a status. */
export const callbackCount = (status: CallbackStatus): View<number> => ({
  name: 'callback-count',
  id: status,
  route: 'callbacks/count',
  read: async (relay) => {
    const { counts, cursor } = await relay.callbacks.count({ status });
    return { data: counts[status] ?? 0, cursor };
  },
  apply: () => READ_AGAIN,
});
