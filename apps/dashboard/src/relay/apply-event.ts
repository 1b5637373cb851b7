import type { QueryClient } from '@tanstack/react-query';
import type { Agent, Approval, Delivery, MessageDetail, Node, RelayEvent, Session } from 'agent-relay-client';
import { keys } from './keys.ts';

/** Messages kept on the page; older ones are read from the relay when asked for. */
const MESSAGE_LIMIT = 500;

/** Brings the snapshots up to one event. Applying an event twice leaves what applying it once made. */
export function applyEvent(queries: QueryClient, event: RelayEvent): void {
  switch (event.type) {
    case 'message.new':
      queries.setQueryData<MessageDetail[]>(keys.messages, (messages) =>
        addMessage(messages, { ...event.message, readBy: [], claim: null }),
      );
      return;
    case 'message.deleted':
      queries.setQueryData<MessageDetail[]>(keys.messages, (messages) =>
        messages?.map((message) => (message.id === event.messageId ? { ...message, body: '', deletedAt: event.at } : message)),
      );
      return;
    case 'message.claimed':
    case 'claim.renewed':
    case 'claim.progressed':
    case 'claim.completed':
    case 'claim.released':
    case 'claim.expired':
    case 'claim.cancelled':
      queries.setQueryData<MessageDetail[]>(keys.messages, (messages) =>
        messages?.map((message) => (message.id === event.messageId ? { ...message, claim: event.claim } : message)),
      );
      return;
    case 'message.read':
      queries.setQueryData<MessageDetail[]>(keys.messages, (messages) =>
        messages?.map((message) =>
          message.id === event.messageId && !message.readBy.includes(event.agentId)
            ? { ...message, readBy: [...message.readBy, event.agentId] }
            : message,
        ),
      );
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
      queries.setQueryData<Agent[]>(keys.agents, (agents) => agents && upsert(agents, event.agent, ({ id }) => id));
      return;
    case 'agent.removed':
      queries.setQueryData<Agent[]>(keys.agents, (agents) => agents?.filter(({ id }) => id !== event.agentId));
      return;
    case 'session.started':
    case 'session.updated':
    case 'session.ended':
      queries.setQueryData<Session[]>(
        keys.sessions,
        (sessions) => sessions && upsert(sessions, event.session, ({ sessionId }) => sessionId),
      );
      return;
    case 'node.connected':
    case 'node.disconnected':
      queries.setQueryData<Node[]>(keys.nodes, (nodes) => nodes && upsert(nodes, event.node, ({ nodeId }) => nodeId));
      return;
    case 'approval.requested':
    case 'approval.resolved':
      queries.setQueryData<Approval[]>(keys.approvals, (approvals) => approvals && applyApproval(approvals, event.approval));
      return;
    case 'task.created':
    case 'task.repeated':
    case 'task.claimed':
    case 'task.updated':
    case 'task.released':
    case 'task.completed':
    case 'task.failed':
    case 'task.canceled':
    case 'work.available':
    case 'agent.stalled':
    case 'pair.requested':
    case 'pair.accepted':
    case 'pair.rejected':
    case 'pair.ended':
    case 'token.created':
    case 'token.revoked':
    case 'token.expired':
    case 'channel.bound':
    case 'channel.unbound':
      return;
  }
}

function applyDelivery(
  queries: QueryClient,
  { messageId, agentId, state, evidence, late, reason, at }: Extract<RelayEvent, { evidence: unknown }>,
): void {
  const key = keys.deliveries(messageId);
  const delivery: Delivery = { messageId, agentId, state, evidence, late, reason, updatedAt: at };
  queries.setQueryData<Delivery[]>(key, (deliveries) => deliveries && upsert(deliveries, delivery, (item) => item.agentId));
  // A snapshot still on its way may be older than this event.
  if (queries.getQueryData(key) === undefined) void queries.invalidateQueries({ queryKey: key });
}

function addMessage(messages: MessageDetail[] | undefined, message: MessageDetail): MessageDetail[] | undefined {
  if (!messages || messages.some(({ id }) => id === message.id)) return messages;
  return [...messages, message].slice(-MESSAGE_LIMIT);
}

/** Only what waits for an answer is kept. */
function applyApproval(approvals: readonly Approval[], approval: Approval): Approval[] {
  const isSame = ({ sessionId, approvalId }: Approval) => sessionId === approval.sessionId && approvalId === approval.approvalId;
  const others = approvals.filter((other) => !isSame(other));
  return approval.status === 'pending' ? [...others, approval] : others;
}

function upsert<Item>(items: readonly Item[], item: Item, keyOf: (item: Item) => string): Item[] {
  const key = keyOf(item);
  return items.some((existing) => keyOf(existing) === key)
    ? items.map((existing) => (keyOf(existing) === key ? item : existing))
    : [...items, item];
}
