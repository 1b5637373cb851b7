import type { Message } from 'agent-relay-protocol';
import type { AppendMessage, AppendUnheld, NewMessage } from '../domain/change.ts';
import type { AppendedMessage, Store } from './store.ts';

/** When everything in the contract happens. */
export const at = 1_000;

/** Appends what is to be sent at once. */
export async function appendTo({ messages }: Pick<Store, 'messages'>, request: AppendMessage): Promise<AppendedMessage> {
  const outcome = await messages.append(request);
  if ('hold' in outcome) throw new Error('The message was held');
  return outcome;
}

export function newMessage(id: number, from: string, to: string): NewMessage {
  const message: Message = {
    id,
    from,
    to,
    body: 'hello',
    subject: null,
    channel: null,
    kind: 'chat',
    claimable: false,
    replyTo: null,
    threadId: id,
    mode: 'next',
    expiresAt: null,
    payload: null,
    meta: null,
    sender: { relation: 'claimed', principal: 'anonymous' },
    hops: 0,
    createdAt: at,
    deletedAt: null,
  };
  return { message, matched: 1 };
}

export const append = (from: string, to: string): AppendUnheld => ({
  workspace: 'default',
  from,
  replyTo: null,
  idempotency: null,
  decide: (id) => ({ ...newMessage(id, from, to), answers: null }),
});

export async function allEvents(store: Store, limit: number, maxCharacters?: number) {
  const found = [];
  for (let after = 0; after < store.log.head; ) {
    const { entries, through } = await store.log.read(after, limit, maxCharacters);
    for (const entry of entries) for (const event of entry.events()) if (event.seq > after) found.push(event);
    after = through;
  }
  return found;
}

export const typesOf = async (store: Store, after: number) =>
  (await allEvents(store, 100)).filter(({ seq }) => seq > after).map(({ type }) => type);
