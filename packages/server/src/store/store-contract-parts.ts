import type { AttemptKey, Change, NewMessage, StoredMessage } from '../domain/change.ts';
import type { Decision, SendFacts } from '../domain/facts.ts';
import { draftOf } from '../domain/message.ts';
import type { Store } from './store.ts';

/** When everything in the contract happens. */
export const at = 1_000;

/** A decision that answers nothing. */
export const writes = (change: Omit<Change, 'at'>): Decision<null> => ({ answer: null, change: { at, ...change } });

export const newMessage = (from: string, to: string, body = 'hello'): NewMessage => ({
  draft: draftOf({ from, to, body, sender: { relation: 'claimed', principal: 'anonymous' }, createdAt: at }),
  matched: 1,
});

interface Attempt {
  readonly from: string;
  readonly to: string;
  readonly body?: string;
  readonly key?: AttemptKey;
  /** Sees what the decision sees; what it throws refuses the message. */
  readonly seen?: (facts: SendFacts) => void;
}

/** Sends at once, whatever the facts are. */
export async function send({ messages }: Pick<Store, 'messages'>, attempt: Attempt): Promise<StoredMessage> {
  const { from, to, body, key, seen } = attempt;
  const { sent } = await messages.send(
    { workspace: 'default', from, replyTo: null, idempotencyKey: key?.key ?? null },
    (facts): Decision<null> => {
      seen?.(facts);
      return writes({ sent: [{ ...newMessage(from, to, body), ...(key ? { key } : {}) }] });
    },
  );
  const [stored] = sent;
  if (!stored) throw new Error('Nothing was sent');
  return stored;
}

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
