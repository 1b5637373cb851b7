import type { Delivery, MessageDetail, RelayClient, RelayEvent } from 'agent-relay-client';
import { OWNER_AGENT_ID } from 'agent-relay-protocol';
import { type ListView, READ_AGAIN, type Snapshot, type View } from '../live/view.ts';
import { upsert } from './collect.ts';
import { mayEndLetters } from './dead-letters.ts';
import { fitsMessage, type MessageFilter } from './message-filter.ts';

/** Messages kept of those that come; what was read further back is kept beside them. */
const MESSAGE_LIMIT = 500;
const FIRST_PAGE = 200;

/** The newest messages of the relay, all of them or those that fit, newest last. */
export const messagesView = (filter: MessageFilter): ListView<MessageDetail> => ({
  name: 'messages',
  id: JSON.stringify(requestOf(filter)),
  route: 'messages/list',
  read: (relay) => relay.messages.list({ ...requestOf(filter), limit: FIRST_PAGE }),
  apply: (messages, event) => {
    if (filter.state !== undefined && 'evidence' in event) return READ_AGAIN;
    if (filter.deadLetter && mayEndLetters(event)) return READ_AGAIN;
    if (event.type !== 'message.new') return changeMessage(messages, event);
    return fitsMessage(event.message, filter) ? keepNewest(messages, event) : messages;
  },
  older: {
    oldest: 'first',
    read: async (relay, known) => {
      const { data, nextCursor } = await relay.messages.list({ ...requestOf(filter), limit: FIRST_PAGE, before: known[0]?.id ?? 1 });
      return { data, isEnd: nextCursor === undefined };
    },
    merge: mergeOldestFirst,
  },
});

const requestOf = ({ from, to, channel, work, state, deadLetter }: MessageFilter) => ({
  newest: true as const,
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
  ...(channel === undefined ? {} : { channel }),
  ...(work === undefined ? {} : { claimable: work }),
  ...(state === undefined ? {} : { state }),
  ...(deadLetter === undefined ? {} : { deadLetter }),
});

/**
 * The newest messages that one agent sent or was meant by, newest last. Who belonged to a group is the relay's to say: what comes for one has
 * them read again.
 */
export const agentMessagesView = (agentId: string): ListView<MessageDetail> => ({
  name: 'messages',
  id: agentId,
  route: 'messages/list',
  read: (relay) => readMessagesOf(relay, agentId),
  apply: (messages, event) => {
    if (event.type !== 'message.new') return changeMessage(messages, event);
    const { from, to } = event.message;
    if (from === agentId || to === `id:${agentId}`) return keepNewest(messages, event);
    return to.startsWith('id:') ? messages : READ_AGAIN;
  },
  older: {
    oldest: 'first',
    read: async (relay, known) => {
      const { data, nextCursor } = await readMessagesOf(relay, agentId, known[0]?.id ?? 1);
      return { data, isEnd: nextCursor === undefined };
    },
    merge: mergeOldestFirst,
  },
});

/** A thread from its beginning, all of it, and what is said in it from now on. */
export const threadView = (threadId: number): ListView<MessageDetail> => ({
  name: 'thread',
  id: threadId,
  route: 'messages/thread',
  read: (relay) => readThread(relay, threadId),
  apply: (messages, event) => {
    if (event.type !== 'message.new') return changeMessage(messages, event);
    return event.message.threadId === threadId ? addMessage(messages, event) : messages;
  },
});

/** One message, for the thread it belongs to, which does not change. */
export const messageView = (id: number): View<MessageDetail> => ({
  name: 'message',
  id,
  route: 'messages/get',
  read: async (relay) => ({ data: await relay.messages.get({ id }), cursor: 0 }),
  apply: (message) => message,
});

/** The receipts of one message. */
export const deliveriesView = (messageId: number): ListView<Delivery> => ({
  name: 'deliveries',
  id: messageId,
  route: 'messages/deliveries',
  read: (relay) => relay.messages.deliveries({ id: messageId }),
  apply: (deliveries, event) => {
    if (!('evidence' in event) || event.messageId !== messageId) return deliveries;
    const { agentId, state, evidence, late, reason, at } = event;
    return upsert(deliveries, { messageId, agentId, state, evidence, late, reason, updatedAt: at }, (delivery) => delivery.agentId);
  },
});

/** What an agent received and what it sent are two lists; only what lies above the end of both pages is known to be all. */
async function readMessagesOf(relay: RelayClient, agentId: string, before?: number): Promise<Snapshot<readonly MessageDetail[]>> {
  const page = { newest: true, limit: FIRST_PAGE, ...(before === undefined ? {} : { before }) } as const;
  const received = await relay.messages.list({ ...page, for: agentId });
  const sent = await relay.messages.list({ ...page, from: agentId });
  const ends = [received, sent].flatMap(({ nextCursor }) => (nextCursor === undefined ? [] : [nextCursor]));
  const from = Math.max(0, ...ends);
  const data = mergeOldestFirst(received.data, sent.data).filter(({ id }) => id >= from);
  return { data, cursor: received.cursor, nextCursor: ends.length === 0 ? undefined : from };
}

async function readThread(relay: RelayClient, id: number): Promise<Snapshot<readonly MessageDetail[]>> {
  const { data, cursor, nextCursor } = await relay.messages.thread({ id, limit: 1_000 });
  const all = [...data];
  for (let since = nextCursor; since !== undefined; ) {
    const page = await relay.messages.thread({ id, since, limit: 1_000 });
    all.push(...page.data);
    since = page.nextCursor;
  }
  return { data: all, cursor };
}

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

function mergeOldestFirst(messages: readonly MessageDetail[], more: readonly MessageDetail[]): readonly MessageDetail[] {
  return [...new Map([...more, ...messages].map((message) => [message.id, message])).values()].sort((one, other) => one.id - other.id);
}

/** The oldest go, unless a person has read further back: then no more is kept than that. */
function keepNewest(messages: readonly MessageDetail[], event: Extract<RelayEvent, { type: 'message.new' }>): readonly MessageDetail[] {
  const added = addMessage(messages, event);
  return added.length <= Math.max(MESSAGE_LIMIT, messages.length) ? added : added.slice(1);
}

function addMessage(
  messages: readonly MessageDetail[],
  { message }: Extract<RelayEvent, { type: 'message.new' }>,
): readonly MessageDetail[] {
  // Numbers grow: only one that is not the newest may be there already.
  const isNewest = message.id > (messages.at(-1)?.id ?? 0);
  if (!isNewest && messages.some(({ id }) => id === message.id)) return messages;
  return messages.concat({ ...message, readBy: [], claim: null });
}

/**
 * Mail that did not arrive, sent once more: to those alone whom it did not reach, in its own thread, and under the name of who sent it. Nobody
 * needs to look at it then.
 */
export async function sendAgain(relay: RelayClient, message: MessageDetail, agentIds: readonly string[]): Promise<readonly number[]> {
  const { from, body, subject, channel, kind, mode, replyTo, expects } = message;
  const again = {
    body,
    kind,
    mode,
    ...(from === OWNER_AGENT_ID ? {} : { from }),
    ...(subject === null ? {} : { subject }),
    ...(channel === null ? {} : { channel }),
    ...(replyTo === null ? {} : { replyTo }),
    ...(expects === undefined ? {} : { expects }),
  };
  const sent: number[] = [];
  for (const agentId of agentIds) sent.push((await relay.messages.send({ ...again, to: `id:${agentId}` })).id);
  await relay.messages.dismiss({ id: message.id });
  return sent;
}
