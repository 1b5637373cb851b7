import type { Agent, Approval, Channel, ChannelBinding, MessageDetail, Node, RelayEvent, Session } from 'agent-relay-client';
import type { Hold, OpenHold, Pair, PendingApproval, Task } from 'agent-relay-protocol';

/** Messages kept on the page; older ones are read from the relay when asked for. */
const MESSAGE_LIMIT = 500;
/** Of what has ended, so many are kept on the page, the newest; what is open is all kept. */
const ENDED_LIMIT = 2_000;

/** What an event makes of a list. Applying it twice leaves what applying it once made; an unchanged list is the same object. */
export type Reducer<Item> = (items: readonly Item[], event: RelayEvent) => readonly Item[];

export const reduceAgents: Reducer<Agent> = (agents, event) => {
  if ('agent' in event) return upsert(agents, event.agent, ({ id }) => id);
  return event.type === 'agent.removed' ? agents.filter(({ id }) => id !== event.agentId) : agents;
};

export const reduceSessions: Reducer<Session> = (sessions, event) =>
  'session' in event ? upsert(sessions, event.session, ({ sessionId }) => sessionId) : sessions;

export const reduceNodes: Reducer<Node> = (nodes, event) => ('node' in event ? upsert(nodes, event.node, ({ nodeId }) => nodeId) : nodes);

/** Newest first. */
export const reduceApprovals: Reducer<Approval> = (approvals, event) =>
  'approval' in event ? mergeApprovals(approvals, [event.approval]) : approvals;

export const mergeApprovals = (approvals: readonly Approval[], more: readonly Approval[]): readonly Approval[] =>
  bounded(new Map([...approvals, ...more].map((approval) => [keyOfApproval(approval), approval])), {
    isOver: (approval) => !isPendingApproval(approval),
    order: ({ requestedAt }) => requestedAt,
  });

export const keyOfApproval = ({ sessionId, approvalId }: Approval): string => `${sessionId}/${approvalId}`;

export const isPendingApproval = (approval: Approval): approval is PendingApproval => approval.status === 'pending';

/** The newest messages of the relay. */
export const reduceMessages: Reducer<MessageDetail> = (messages, event) => {
  if (event.type !== 'message.new') return changeMessage(messages, event);
  return addMessage(messages, event).slice(-MESSAGE_LIMIT);
};

/** The messages of one thread. */
export const reduceThread =
  (threadId: number): Reducer<MessageDetail> =>
  (messages, event) => {
    if (event.type !== 'message.new') return changeMessage(messages, event);
    return event.message.threadId === threadId ? addMessage(messages, event) : messages;
  };

/** Newest first. */
export const reduceTasks: Reducer<Task> = (tasks, event) => ('task' in event ? mergeTasks(tasks, [event.task]) : tasks);

/** Adds tasks or puts them in place of what was known; of what has ended only the newest are kept. */
export function mergeTasks(tasks: readonly Task[], more: readonly Task[]): readonly Task[] {
  return bounded(new Map([...tasks, ...more].map((task) => [task.id, task])), { isOver: isEndedTask, order: byId });
}

export const isEndedTask = ({ status }: Pick<Task, 'status'>): boolean => status === 'done' || status === 'failed' || status === 'canceled';

/** Newest first. */
export const reducePairs: Reducer<Pair> = (pairs, event) =>
  'pair' in event ? bounded(new Map([...pairs, event.pair].map((pair) => [pair.id, pair])), { isOver: isOverPair, order: byId }) : pairs;

export const isOverPair = ({ status }: Pair): boolean => status === 'rejected' || status === 'ended';

/** Newest first. */
export const reduceHolds: Reducer<Hold> = (holds, event) => ('hold' in event ? mergeHolds(holds, [event.hold]) : holds);

export const mergeHolds = (holds: readonly Hold[], more: readonly Hold[]): readonly Hold[] =>
  bounded(new Map([...holds, ...more].map((hold) => [hold.id, hold])), { isOver: (hold) => !isOpenHold(hold), order: byId });

export const isOpenHold = (hold: Hold): hold is OpenHold => hold.status === 'held';

/** By id. A channel is an agent of that kind, so what is told of the agent is told of it. */
export const reduceChannels: Reducer<Channel> = (channels, event) => {
  if ('binding' in event) {
    const { bindingId, channelId } = event.binding;
    const change = (bindings: readonly ChannelBinding[]) => {
      const others = bindings.filter((binding) => binding.bindingId !== bindingId);
      return event.type === 'channel.bound' ? [...others, event.binding] : others;
    };
    return channels.map((channel) => (channel.id === channelId ? { ...channel, bindings: change(channel.bindings) } : channel));
  }
  const agentId = 'agent' in event ? event.agent.id : event.type === 'agent.removed' ? event.agentId : null;
  const known = channels.find(({ id }) => id === agentId);
  if (!('agent' in event) || event.agent.kind !== 'channel') return known ? channels.filter((channel) => channel !== known) : channels;
  const { id, name, label, transport, direction, status, ready, lastSeenAt } = event.agent;
  const now = { id, name, label, status, ready, lastSeenAt, transport: transport ?? 'custom', direction: direction ?? 'both' };
  return upsert(channels, { ...now, bindings: known?.bindings ?? [] }, (channel) => channel.id);
};

function changeMessage(messages: readonly MessageDetail[], event: RelayEvent): readonly MessageDetail[] {
  const change = (id: number | null, next: (message: MessageDetail) => MessageDetail) =>
    messages.some((message) => message.id === id) ? messages.map((message) => (message.id === id ? next(message) : message)) : messages;
  if (event.type === 'message.deleted') return change(event.messageId, (message) => ({ ...message, body: '', deletedAt: event.at }));
  if ('claim' in event) return change(event.messageId, (message) => ({ ...message, claim: event.claim }));
  if (event.type !== 'message.read') return messages;
  const { messageId, agentId } = event;
  return change(messageId, (message) =>
    message.readBy.includes(agentId) ? message : { ...message, readBy: [...message.readBy, agentId] },
  );
}

function addMessage(
  messages: readonly MessageDetail[],
  { message }: Extract<RelayEvent, { type: 'message.new' }>,
): readonly MessageDetail[] {
  if (messages.some(({ id }) => id === message.id)) return messages;
  return [...messages, { ...message, readBy: [], claim: null }];
}

interface Bounds<Item> {
  readonly isOver: (item: Item) => boolean;
  /** Grows from older to newer. */
  readonly order: (item: Item) => number;
}

const byId = ({ id }: { readonly id: number }): number => id;

/** Newest first, and of what is over only the newest. */
function bounded<Item>(items: ReadonlyMap<unknown, Item>, { isOver, order }: Bounds<Item>): readonly Item[] {
  let over = 0;
  return [...items.values()]
    .sort((one, other) => order(other) - order(one))
    .filter((item) => {
      if (isOver(item)) over += 1;
      return !isOver(item) || over <= ENDED_LIMIT;
    });
}

function upsert<Item>(items: readonly Item[], item: Item, keyOf: (item: Item) => unknown): readonly Item[] {
  const key = keyOf(item);
  return items.some((existing) => keyOf(existing) === key)
    ? items.map((existing) => (keyOf(existing) === key ? item : existing))
    : [...items, item];
}
