import type { QueryClient, QueryKey } from '@tanstack/react-query';
import type { Delivery, RelayEvent } from 'agent-relay-client';
import {
  type Reducer,
  reduceAgents,
  reduceApprovals,
  reduceChannels,
  reduceHolds,
  reduceMessages,
  reduceNodes,
  reducePairs,
  reduceSessions,
  reduceTasks,
  reduceThread,
} from './collections.ts';
import { keys } from './keys.ts';

/** Where snapshots are kept, and how one is asked for again when an event does not carry what changed. */
export interface Snapshots {
  readonly queries: QueryClient;
  readonly refresh: (key: QueryKey) => void;
}

/** Brings the snapshots up to one event. Applying an event twice leaves what applying it once made. */
export function applyEvent({ queries, refresh }: Snapshots, event: RelayEvent): void {
  const reduce = <Item>(key: QueryKey, reducer: Reducer<Item>) =>
    queries.setQueryData<readonly Item[]>(key, (items) => items && reducer(items, event));
  switch (event.type) {
    case 'message.new':
    case 'message.deleted':
    case 'message.claimed':
    case 'message.read':
    case 'claim.renewed':
    case 'claim.progressed':
    case 'claim.completed':
    case 'claim.released':
    case 'claim.expired':
    case 'claim.cancelled':
      reduce(keys.messages, reduceMessages);
      for (const [key] of queries.getQueriesData({ queryKey: keys.threads })) reduce(key, reduceThread(Number(key[1])));
      return;
    case 'delivery.dispatched':
    case 'delivery.delivered':
    case 'delivery.seen':
    case 'delivery.answered':
    case 'delivery.failed':
    case 'delivery.expired':
      applyDelivery(queries, event);
      return;
    case 'agent.registered':
    case 'agent.updated':
    case 'agent.status':
    case 'agent.removed':
      reduce(keys.agents, reduceAgents);
      reduce(keys.channels, reduceChannels);
      return;
    case 'session.started':
    case 'session.updated':
    case 'session.ended':
      reduce(keys.sessions, reduceSessions);
      return;
    case 'node.connected':
    case 'node.disconnected':
      reduce(keys.nodes, reduceNodes);
      return;
    case 'message.held':
    case 'message.released':
    case 'message.refused':
      reduce(keys.holds, reduceHolds);
      return;
    case 'approval.requested':
    case 'approval.resolved':
      reduce(keys.approvals, reduceApprovals);
      return;
    case 'task.created':
    case 'task.repeated':
    case 'task.claimed':
    case 'task.updated':
    case 'task.released':
    case 'task.completed':
    case 'task.failed':
    case 'task.canceled':
      reduce(keys.tasks, reduceTasks);
      refresh(keys.taskHistory(event.task.id));
      refresh(keys.callbacks);
      return;
    case 'callback.updated':
      refresh(keys.callbacks);
      return;
    case 'pair.requested':
    case 'pair.accepted':
    case 'pair.rejected':
    case 'pair.ended':
      reduce(keys.pairs, reducePairs);
      return;
    case 'token.created':
    case 'token.revoked':
    case 'token.expired':
      refresh(keys.tokens);
      return;
    case 'channel.bound':
    case 'channel.unbound':
      reduce(keys.channels, reduceChannels);
      return;
    case 'work.available':
    case 'agent.stalled':
      return;
  }
  // An event that is new here is a compile error; one that is newer than this page is passed over.
  event satisfies never;
}

function applyDelivery(
  queries: QueryClient,
  { messageId, agentId, state, evidence, late, reason, at }: Extract<RelayEvent, { evidence: unknown }>,
): void {
  const key = keys.deliveries(messageId);
  const delivery: Delivery = { messageId, agentId, state, evidence, late, reason, updatedAt: at };
  queries.setQueryData<Delivery[]>(key, (deliveries) => deliveries && upsertDelivery(deliveries, delivery));
  // A snapshot still on its way may be older than this event.
  if (queries.getQueryData(key) === undefined) void queries.invalidateQueries({ queryKey: key });
}

const upsertDelivery = (deliveries: readonly Delivery[], delivery: Delivery): Delivery[] => {
  const others = deliveries.filter(({ agentId }) => agentId !== delivery.agentId);
  return others.length === deliveries.length
    ? [...deliveries, delivery]
    : deliveries.map((existing) => (existing.agentId === delivery.agentId ? delivery : existing));
};
