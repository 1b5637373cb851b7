import type { Message } from 'agent-relay-protocol';

/** A message before the log has numbered it; `threadId` null begins a thread. */
export interface Draft extends Omit<Message, 'id' | 'threadId' | 'deletedAt'> {
  readonly threadId: number | null;
}

type Said = Pick<Draft, 'from' | 'to' | 'body' | 'sender' | 'createdAt'> & Partial<Draft>;

/** Makes every message there is. What is not said is as in the plainest one: a chat message that begins a thread and waits its turn. */
export const draftOf = (said: Said): Draft => ({
  subject: null,
  channel: null,
  kind: 'chat',
  claimable: false,
  replyTo: null,
  threadId: null,
  mode: 'next',
  expiresAt: null,
  payload: null,
  meta: null,
  hops: 0,
  ...said,
});

export const numbered = ({ threadId, ...draft }: Draft, id: number): Message => ({
  id,
  threadId: threadId ?? id,
  deletedAt: null,
  ...draft,
});
