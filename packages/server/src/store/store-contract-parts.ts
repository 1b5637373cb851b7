import type { Agent, RegisterAgent, Session } from 'agent-relay-protocol';
import type { AttemptKey, Change, NewMessage, StoredMessage, TokenRecord } from '../domain/change.ts';
import { tokenRevoked } from '../domain/describe-token.ts';
import type { Decision, SendFacts } from '../domain/facts.ts';
import { draftOf } from '../domain/message.ts';
import { type RegistrationFound, registerAgent } from '../domain/registration.ts';
import { beginToken, endToken } from '../domain/token-changes.ts';
import type { Store, TokenSubject } from './store.ts';

/** Runs a test on a store in a folder of its own; `reopen` opens it once more. */
export type InFolder = (title: string, run: (store: Store, reopen: () => Promise<Store>) => Promise<void>) => void;

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

/** A card as a registration makes it, with what is said over it. */
export const register =
  (id: string, said: Omit<Partial<RegisterAgent>, 'id' | 'name'> = {}, over: Partial<Agent> = {}) =>
  (found: RegistrationFound): Decision<null> => {
    const agent = { ...registerAgent(found, { ...said, id, name: id }, null, at).agent, ...over };
    return writes({ agents: [{ id, agent }], events: [{ type: 'agent.registered', at, agent }] });
  };

export const someSession: Session = {
  sessionId: 's',
  agentId: 'a',
  nodeId: 'local',
  provider: 'vendor',
  instanceId: 'i',
  epoch: 1,
  status: 'running',
  mode: 'agentic',
  ask: false,
  cwd: null,
  model: null,
  spawnedBy: null,
  startedAt: at,
  endedAt: null,
  reason: null,
  vendorSessionId: null,
  sandbox: 'none',
  sandboxReason: null,
};

/** A token that a person made, found by its id as by its hash. */
export const someToken = (tokenId: string, over: Partial<TokenRecord> = {}): TokenRecord => ({
  hash: tokenId,
  tokenId,
  workspace: 'default',
  type: 'scoped',
  agentId: null,
  epoch: null,
  nodeId: null,
  name: null,
  grants: null,
  share: null,
  createdAt: at,
  expiresAt: null,
  ...over,
});

/** As a person makes it; `by` null tells nobody. */
export const putToken = (store: Pick<Store, 'tokens'>, token: TokenRecord, by: string | null = null) =>
  store.tokens.begin(token.workspace, () => ({ answer: null, change: beginToken(token, by) }));

/** Ends a token, and answers it; null when it is not there any more. */
export const takeToken = (store: Pick<Store, 'tokens'>, subject: TokenSubject, by: string | null = null, when = at) =>
  store.tokens.change(subject, (found) => ({
    answer: found,
    change: endToken(found, when, by === null ? null : tokenRevoked(found, when, by)),
  }));
