import type { Message, SendMessage } from 'agent-relay-protocol';

type Stamped = Pick<Message, 'id' | 'from' | 'to' | 'channel' | 'threadId' | 'sender' | 'hops' | 'createdAt'>;

/** What the sender said, and what the relay says about it. */
export function composeMessage(input: SendMessage, { id, from, to, channel, threadId, sender, hops, createdAt }: Stamped): Message {
  return {
    id,
    from,
    to,
    body: input.body,
    subject: input.subject ?? null,
    channel,
    kind: input.kind ?? input.type ?? 'chat',
    claimable: input.claimable ?? false,
    replyTo: input.replyTo ?? null,
    threadId,
    mode: input.mode ?? 'next',
    expiresAt: input.ttlMs === undefined ? null : createdAt + input.ttlMs,
    payload: input.payload ?? null,
    meta: input.meta ?? null,
    sender,
    hops,
    createdAt,
    deletedAt: null,
  };
}
