import {
  OWNER_AGENT_ID,
  type Principal,
  type PushMessage,
  type PushTopic,
  RelayError,
  type RelayEvent,
  type ToolKind,
} from 'agent-relay-protocol';
import type { PostPolicy } from 'agent-relay-wire';
import { isPersonsOwn } from './approval.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What a push service may answer again later is tried again; whatever it says of the push itself is final. */
export const pushPolicy: PostPolicy = {
  firstDelayMs: 2_000,
  longestDelayMs: 600_000,
  longestAskedMs: DAY_MS,
  attemptsAt: (status) => (status === 408 || status === 429 || status >= 500 ? Number.POSITIVE_INFINITY : 1),
};

/** The browser took its subscription back, or the service has forgotten it. */
export const isUnsubscribed = (status: number | null): boolean => status === 404 || status === 410;

/** What somebody may be told of. */
export interface PushNews {
  readonly topic: PushTopic;
  readonly urgency: 'normal' | 'high';
  /** After which nobody needs to hear of it. */
  readonly deadlineAt: number;
  readonly message: PushMessage;
}

/** What an event means for who is told while the page is closed: something new, the end of something, or nothing. */
export function pushOf(event: RelayEvent): PushNews | PushMessage | null {
  switch (event.type) {
    case 'approval.requested': {
      const { agentId, approvalId, kind, form, expiresAt } = event.approval;
      const body = form === undefined ? `It wants to ${deeds[kind] ?? deeds.other}` : 'It has a question';
      const deadlineAt = Math.min(expiresAt ?? Number.POSITIVE_INFINITY, event.at + DAY_MS);
      const message = { title: `${agentId} asks`, body, path: '/approvals', tag: approvalTag(agentId, approvalId) };
      return { topic: 'approvals', urgency: 'high', deadlineAt, message: { type: 'news', ...message } };
    }
    case 'approval.resolved': {
      const { agentId, approvalId, status, by } = event.approval;
      const body = by === null ? `It is ${status}` : `It is ${status}, by ${by}`;
      return { type: 'over', title: `${agentId} asked`, body, path: '/approvals', tag: approvalTag(agentId, approvalId) };
    }
    case 'agent.stalled': {
      const { agentId, waiting, cause } = event;
      const mail = waiting === 1 ? 'A message waits unread' : `${waiting} messages wait unread`;
      const body = cause === 'turn' ? 'Its turn makes no progress' : mail;
      const message = { title: `${agentId} has stalled`, body, path: pathOf(agentId), tag: stallTag(agentId) };
      return { topic: 'stalls', urgency: 'normal', deadlineAt: event.at + 4 * HOUR_MS, message: { type: 'news', ...message } };
    }
    case 'message.new': {
      const { id, from, to } = event.message;
      if (to !== `id:${OWNER_AGENT_ID}` || from === OWNER_AGENT_ID) return null;
      const message = { title: `${from} writes to you`, body: `Message ${id}`, path: `/messages/${id}`, tag: mailTag(id) };
      return { topic: 'mail', urgency: 'normal', deadlineAt: event.at + DAY_MS, message: { type: 'news', ...message } };
    }
    case 'delivery.dispatched':
    case 'delivery.delivered':
    case 'delivery.seen':
    case 'delivery.answered':
      return event.agentId === OWNER_AGENT_ID ? readByOwner(event) : awake(event.agentId);
    case 'agent.recovered':
    case 'agent.removed':
      return awake(event.agentId);
    default:
      return null;
  }
}

function readByOwner({
  type,
  messageId,
  from,
}: Extract<RelayEvent, { readonly messageId: number; readonly from: string }>): PushMessage | null {
  if (type !== 'delivery.seen' && type !== 'delivery.answered') return null;
  return { type: 'over', title: `${from} wrote to you`, body: 'It is read', path: `/messages/${messageId}`, tag: mailTag(messageId) };
}

const awake = (agentId: string): PushMessage => ({
  type: 'over',
  title: `${agentId} had stalled`,
  body: 'It is over',
  path: pathOf(agentId),
  tag: stallTag(agentId),
});

/** Never what exactly: the names of files and the words of commands are not for a screen that is locked. */
const deeds: Readonly<Record<ToolKind, string>> = {
  read: 'read something',
  edit: 'change files',
  execute: 'run a command',
  search: 'search for something',
  fetch: 'fetch something',
  message: 'send a message',
  think: 'go on',
  other: 'use a tool',
};

/** The same as those of the page's own notices: one takes the place of the other. */
const approvalTag = (agentId: string, approvalId: string): string => `approval/${agentId}/${approvalId}`;
const stallTag = (agentId: string): string => `stalled/${agentId}`;
const mailTag = (messageId: number): string => `message/${messageId}`;

const pathOf = (agentId: string): string => `/agents/${encodeURIComponent(agentId)}`;

/**
 * Whether a caller may have browsers told: they are a person's, with the owner's token or one that was made to see what agents ask.
 * @throws RelayError `forbidden`.
 */
export function assertMayBePushed(principal: Principal): void {
  if (isPersonsOwn(principal, 'approvals:read')) return;
  throw new RelayError(
    'forbidden',
    'Only people have devices that are told: with the token of the owner, or one of a person with approvals:read',
  );
}
