import type { Agent, Approval, MessageDetail, Node, RelayEvent, Session } from 'agent-relay-client';
import type { Hold, OpenHold, Pair, Task } from 'agent-relay-protocol';

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

/** Only what waits for an answer is kept. */
export const reduceApprovals: Reducer<Approval> = (approvals, event) => {
  if (!('approval' in event)) return approvals;
  const { approval } = event;
  const others = approvals.filter(({ sessionId, approvalId }) => sessionId !== approval.sessionId || approvalId !== approval.approvalId);
  return approval.status === 'pending' ? [...others, approval] : others;
};

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
  return bounded(new Map([...tasks, ...more].map((task) => [task.id, task])), isEndedTask);
}

export const isEndedTask = ({ status }: Pick<Task, 'status'>): boolean => status === 'done' || status === 'failed' || status === 'canceled';

/** Newest first. */
export const reducePairs: Reducer<Pair> = (pairs, event) =>
  'pair' in event ? bounded(new Map([...pairs, event.pair].map((pair) => [pair.id, pair])), isOverPair) : pairs;

export const isOverPair = ({ status }: Pair): boolean => status === 'rejected' || status === 'ended';

/** Newest first. */
export const reduceHolds: Reducer<Hold> = (holds, event) => ('hold' in event ? mergeHolds(holds, [event.hold]) : holds);

export const mergeHolds = (holds: readonly Hold[], more: readonly Hold[]): readonly Hold[] =>
  bounded(new Map([...holds, ...more].map((hold) => [hold.id, hold])), (hold) => !isOpenHold(hold));

export const isOpenHold = (hold: Hold): hold is OpenHold => hold.status === 'held';

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

function bounded<Item>(items: ReadonlyMap<number, Item>, isOver: (item: Item) => boolean): readonly Item[] {
  let over = 0;
  return [...items]
    .sort(([one], [other]) => other - one)
    .flatMap(([, item]) => {
      if (isOver(item)) over += 1;
      return isOver(item) && over > ENDED_LIMIT ? [] : [item];
    });
}

function upsert<Item>(items: readonly Item[], item: Item, keyOf: (item: Item) => unknown): readonly Item[] {
  const key = keyOf(item);
  return items.some((existing) => keyOf(existing) === key)
    ? items.map((existing) => (keyOf(existing) === key ? item : existing))
    : [...items, item];
}
