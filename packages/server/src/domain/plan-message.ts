import {
  type Address,
  type ErrorDetails,
  HOOK_MESSAGE_KIND,
  type Hold,
  type Message,
  type Principal,
  principalName,
  RelayError,
  type SendMessage,
} from 'agent-relay-protocol';
import { actAs } from './act-as.ts';
import { readAddress, resolveAddress } from './address.ts';
import { isDirect, isInAudience } from './audience.ts';
import type { DeliveryWrite, NewMessage, StoredMessage } from './change.ts';
import type { DeliveryRecord } from './delivery.ts';
import { nextReceipt } from './delivery-changes.ts';
import type { AddressEntry, Directory } from './directory.ts';
import type { Decision, Earlier, Facts, SendFacts } from './facts.ts';
import { holdMessage } from './hold-changes.ts';
import { type Breach, hopsOf } from './loop-guard.ts';
import { type Draft, draftOf } from './message.ts';
import { relationOf } from './provenance.ts';
import { mayReadIn, nobody, type ReadRights } from './readership.ts';
import { assertMayAddress } from './scopes.ts';

/** Somebody wants to say something. */
export interface Sending {
  readonly input: SendMessage;
  /** In whose name. */
  readonly from: string;
  readonly principal: Principal;
  readonly at: number;
}

export interface SendTerms {
  /** Of what is said: two attempts under one idempotency key must be equal in it. */
  readonly digest: () => string;
  /** What the sender may read, and so answer, by the agents that there are. */
  readonly rights: (agents: Directory) => Pick<ReadRights, 'mayRead' | 'mayReadHold'>;
  /** What sending it now would break. */
  readonly breachOf: (draft: Draft) => Breach | null;
}

/** What becomes of it. */
export type Planned =
  | { readonly outcome: 'sent'; readonly message: NewMessage }
  | { readonly outcome: 'duplicate'; readonly stored: StoredMessage }
  | { readonly outcome: 'held'; readonly hold: Hold };

/**
 * Whether a message is sent, held, or was sent before: who may, whom it reaches and what it answers.
 * @throws RelayError whatever refuses it; `idempotency_mismatch` when something else was said under the same key.
 */
export function planMessage(facts: SendFacts, sending: Sending, terms: SendTerms): Decision<Planned> {
  const { idempotencyKey: key = null } = sending.input;
  if (facts.earlier && key !== null) {
    // Whoever asks again is shown what was sent: it must be theirs to send, and to read.
    actAs(facts.agents, sending.principal, sending.from);
    if (!isTheirs(facts.earlier, terms.rights(facts.agents))) throw mismatchOf('what is not yours to read', {});
    return { answer: repeated(facts.earlier, terms.digest()), change: null };
  }
  const answer = planAnswer(facts, sending, terms.rights);
  const breach = terms.breachOf(answer.message.draft);
  if (breach) {
    const attempt = { digest: terms.digest(), key };
    const held = holdMessage(facts, { id: facts.nextId, draft: answer.message.draft, breach, attempt });
    return { answer: { outcome: 'held', hold: held.answer }, change: held.change };
  }
  const message = key === null ? answer.message : { ...answer.message, key: { key, digest: terms.digest() } };
  const deliveries = answer.receipt ? [answer.receipt] : [];
  return { answer: { outcome: 'sent', message }, change: { at: sending.at, sent: [message], deliveries } };
}

/** A message, and the receipt of the one that it answers. @throws RelayError `not_found` when there is none that it could answer. */
export function planAnswer(
  facts: Facts & Pick<SendFacts, 'repliedTo' | 'copy' | 'participants'>,
  sending: Sending,
  rights: SendTerms['rights'],
): { readonly message: NewMessage; readonly receipt: DeliveryWrite | null } {
  const { copy, repliedTo: named } = facts;
  // An answer takes part in the thread: nobody answers their way into one that is not theirs, or is told where the answer would have gone.
  const repliedTo = named && mayReadIn(rights(facts.agents), named.message, () => facts.participants()) ? named : null;
  const message = routeMessage(facts, sending, repliedTo);
  return { message, receipt: repliedTo && copy ? answerOf(repliedTo.message, copy, sending.from, sending.at) : null };
}

/**
 * The message, addressed: in whose name it is, where it goes and how many it reaches. `repliedTo` is null where there is none that may be answered.
 * @throws RelayError `validation_failed` when nobody is named, `not_found` when there is nothing to answer.
 */
export function routeMessage(facts: Facts, { input, from, principal, at }: Sending, repliedTo: StoredMessage | null): NewMessage {
  const { agents } = facts;
  const { traceparent, tracestate, expects } = input;
  const address = input.to === undefined ? null : addressIn(agents, input.to);
  if (!address && input.replyTo === undefined) throw invalid('to', 'Say whom the message is for, or which one it answers');
  const sender = actAs(agents, principal, from);
  if (input.replyTo !== undefined && !repliedTo) throw noMessage(input.replyTo);
  const to = address ? resolveAddress(address, agents, from) : `id:${repliedTo?.message.from}`;
  assertFeedsOthers(input, to, from);
  const channel = input.channel ?? (address?.type === 'channel' ? address.name : null);
  assertMayAddress(principal, { to, channel });
  const recipient = isDirect(to) ? agents.find(to.slice(3)) : undefined;
  const relation = relationOf({ principal, from, kind: sender?.kind ?? null, recipientSpawnedBy: recipient?.spawnedBy ?? null });
  const draft = draftOf({
    from,
    to,
    body: input.body,
    subject: input.subject ?? null,
    channel,
    kind: input.kind ?? input.type ?? 'chat',
    claimable: input.claimable ?? false,
    replyTo: input.replyTo ?? null,
    threadId: repliedTo?.message.threadId ?? null,
    mode: input.mode ?? 'next',
    expiresAt: input.ttlMs === undefined ? null : at + input.ttlMs,
    payload: input.payload ?? null,
    meta: input.meta ?? null,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
    ...(expects === undefined ? {} : { expects }),
    sender: { relation, principal: principalName(principal) },
    hops: hopsOf(relation, repliedTo?.message ?? null),
    createdAt: at,
  });
  return { draft, matched: countRecipients(facts, draft) };
}

/** @throws RelayError `validation_failed`: what hooks send sets off no hooks, so it is not for anybody to say that it is. */
export function assertNotOfHook({ kind, type, meta }: SendMessage, principal: Principal): void {
  if ((kind ?? type) !== HOOK_MESSAGE_KIND || (principal.type === 'node' && typeof meta?.['hook'] === 'string')) return;
  throw invalid(kind === undefined ? 'type' : 'kind', `${HOOK_MESSAGE_KIND} is the kind of what hooks send: choose another`);
}

/** @throws RelayError `validation_failed`: a hook that told an agent of its own events would never come to an end. */
function assertFeedsOthers({ kind }: SendMessage, to: string, from: string): void {
  if (kind === HOOK_MESSAGE_KIND && to === `id:${from}`)
    throw invalid('to', `What a hook sends does not reach ${from}, whose event it tells of`);
}

/** How many agents a message reaches that is written now. */
export function countRecipients({ agents, nextId }: Pick<Facts, 'agents' | 'nextId'>, draft: Draft): number {
  if (isDirect(draft.to)) return Number(agents.find(draft.to.slice(3))?.agent != null);
  // Members now are members at the message's sequence: nothing else is written before it.
  const routed = { id: nextId, from: draft.from, to: draft.to, channel: draft.channel };
  const members: ReadonlySet<AddressEntry> = agents.members(draft.to);
  let count = 0;
  for (const entry of members) if (isInAudience(routed, entry)) count += 1;
  if (!draft.to.startsWith('channel:')) return count;
  for (const entry of agents.members('channel:*')) if (!members.has(entry) && isInAudience(routed, entry)) count += 1;
  return count;
}

/** The receipt of a message whose recipient answers it; null when it says nothing new. */
export const answerOf = (message: Message, copy: DeliveryRecord, from: string, now: number): DeliveryWrite | null =>
  nextReceipt({ agentId: from, message, record: copy }, { state: 'answered', evidence: 'reply' }, now);

/** What a send names is mostly an agent that is there: finding it costs less than taking its address apart. */
function addressIn(agents: Directory, text: string): Address {
  if (text.startsWith('id:') && agents.find(text.slice(3))) return { type: 'id', id: text.slice(3) };
  return text !== 'broadcast' && agents.find(text) ? { type: 'bare', word: text } : readAddress(text);
}

const isTheirs = (earlier: Earlier, { mayRead, mayReadHold }: ReturnType<SendTerms['rights']>): boolean =>
  'hold' in earlier ? mayReadHold(earlier.hold) : mayRead(earlier.stored.message, nobody);

/** What became of the attempt under the same key. */
function repeated(earlier: Earlier, digest: string): Planned {
  if ('hold' in earlier) {
    const { id } = earlier.hold;
    if (earlier.digest !== digest) throw mismatchOf(`held message ${id}`, { holdId: id });
    return { outcome: 'held', hold: earlier.hold };
  }
  const { id } = earlier.stored.message;
  if (earlier.digest !== digest) throw mismatchOf(`message ${id}`, { messageId: id });
  return { outcome: 'duplicate', stored: earlier.stored };
}

const mismatchOf = (what: string, details: ErrorDetails<'idempotency_mismatch'>): RelayError =>
  new RelayError('idempotency_mismatch', `This idempotency key was used for ${what} with other content`, { details });

const noMessage = (id: number): RelayError => new RelayError('not_found', `There is no message ${id} to reply to`);

const invalid = (path: string, message: string): RelayError =>
  new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
