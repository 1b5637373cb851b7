import {
  type Agent,
  DEFAULT_WAIT_MS,
  type Message,
  type Principal,
  principalName,
  RelayError,
  type RouteInput,
  type SendMessage,
  type SentMessage,
  type SessionGuard,
} from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { actAs, isOwnAt } from '../../domain/act-as.ts';
import { actingId } from '../../domain/acting.ts';
import { isDirect, isInAudience } from '../../domain/audience.ts';
import type { StoredMessage } from '../../domain/change.ts';
import { endClaim } from '../../domain/claim.ts';
import { claimEvent } from '../../domain/claim-changes.ts';
import { nextReceipt } from '../../domain/delivery-changes.ts';
import type { Directory } from '../../domain/directory.ts';
import type { Done, SendFacts } from '../../domain/facts.ts';
import { heldError } from '../../domain/hold-changes.ts';
import { isBuiltIn } from '../../domain/membership.ts';
import { assertNotOfHook, type Planned, planMessage, type SendTerms } from '../../domain/plan-message.ts';
import { mayReadIn } from '../../domain/readership.ts';
import { isOwner } from '../../domain/scopes.ts';
import type { Store } from '../../store/store.ts';
import type { Readers } from '../access/readers.ts';
import { digestOf } from '../contract/content-digest.ts';
import type { CallContext } from '../contract/relay-contract.ts';
import type { LoopGuard } from '../guard/loop-guard.ts';
import type { Inboxes } from './inboxes.ts';
import { DELETED, type Receipts } from './receipts.ts';

export interface MessagesDeps {
  readonly store: Pick<Store, 'agents' | 'messages' | 'log'>;
  readonly clock: Clock;
  readonly inboxes: Inboxes;
  readonly receipts: Receipts;
  readonly guard: LoopGuard;
  readonly readers: Readers;
  /** A message has a time to live: somebody must look when it is over. */
  readonly expiresAt: (at: number) => void;
}

/** Sending, and taking back. */
export class Messages {
  readonly #deps: MessagesDeps;

  constructor(deps: MessagesDeps) {
    this.#deps = deps;
  }

  /**
   * `mustBeSo` is asked in the write itself: what it throws refuses the message.
   * @throws RelayError `message_held` when the loop guard keeps it, `validation_failed` when it says to be of a hook and is not.
   */
  async send(input: SendMessage, context: CallContext, mustBeSo?: (facts: SendFacts) => void): Promise<SentMessage> {
    assertNotOfHook(input, context.principal);
    return this.sendOwn(input, context, mustBeSo);
  }

  /** As `send`, for what the relay says by itself: it has hooks too. */
  async sendOwn(input: SendMessage, context: CallContext, mustBeSo?: (facts: SendFacts) => void): Promise<SentMessage> {
    const { inboxes, receipts } = this.#deps;
    const { principal } = context;
    const from = actingId(principal, input.from, 'from');
    const { stored, duplicate } = sentOf(await this.#write(input, from, principal, mustBeSo));
    const { message, matched } = stored;
    if (!duplicate) {
      if (message.replyTo !== null) inboxes.settle(stored.workspace, from, [message.replyTo]);
      this.noteExpiry(message);
    }
    const offline = countOffline(stored, this.#deps.store.agents.index.in(stored.workspace));
    if (!input.waitFor) return { ...message, matched, offline, duplicate };
    const { state, scope = 'all', timeoutMs = DEFAULT_WAIT_MS } = input.waitFor;
    const waited = await receipts.wait(stored, { state, scope, timeoutMs, signal: context.signal });
    return { ...message, matched, offline, duplicate, waited };
  }

  /** Empties a message; a tombstone stays. Its sender may, and the owner. */
  async remove({ id, agentId, ...guard }: RouteInput<'messages/remove'>, { principal }: CallContext): Promise<void> {
    const { store, clock, inboxes, readers } = this.#deps;
    const { workspace } = principal;
    const now = clock.now();
    const rightsIn = (shown: Directory) => readers.rightsIn(shown, principal);
    // A long thread is looked at in turns before the write, which finds it known.
    await readers.find(principal, id);
    await store.messages.remove(workspace, id, ({ found, open, held, agents, participants }) => {
      const isThere = found !== null && found.message.deletedAt === null;
      const known = isThere && mayReadIn(rightsIn(agents), found.message, participants) ? found.message : null;
      const message = ofSender(known, agents, { id, principal, agentId, guard, deed: 'delete' });
      const copies = isDirect(message.to) ? open : open.filter(({ record }) => record.state !== 'queued');
      const deliveries = copies.flatMap((copy) => nextReceipt(copy, { state: 'failed', reason: DELETED }, now) ?? []);
      const cancelled = held ? endClaim(held, { status: 'cancelled', reason: DELETED }, now) : null;
      return {
        answer: null,
        change: {
          at: now,
          events: [
            { type: 'message.deleted', at: now, messageId: id },
            ...(cancelled ? [claimEvent('claim.cancelled', cancelled, now)] : []),
          ],
          claims: cancelled ? [cancelled] : [],
          emptied: [message],
          deliveries,
        },
      };
    });
    inboxes.settleEverywhere(workspace, id);
  }

  /** Somebody has looked at mail that did not arrive: its sender may say so, and the owner. Answers whether it waited for that. */
  async dismiss({ id, agentId, ...guard }: RouteInput<'messages/dismiss'>, { principal }: CallContext): Promise<boolean> {
    const { store, clock, readers } = this.#deps;
    const now = clock.now();
    const rightsIn = (shown: Directory) => readers.rightsIn(shown, principal);
    await readers.find(principal, id);
    return store.messages.dismiss(principal.workspace, id, ({ found, isDeadLetter, agents, participants }) => {
      const known = found && mayReadIn(rightsIn(agents), found.message, participants) ? found.message : null;
      const { from } = ofSender(known, agents, { id, principal, agentId, guard, deed: 'dismiss' });
      if (!isDeadLetter) return { answer: false, change: null };
      const events = [{ type: 'message.dismissed', at: now, messageId: id, by: principalName(principal) } as const];
      return { answer: true, change: { at: now, events, deadLetters: [{ messageId: id, from, status: 'over' }] } };
    });
  }

  /** A message has been sent: if it has a time to live, somebody must look when it is over. */
  noteExpiry({ expiresAt }: Pick<Message, 'expiresAt'>): void {
    if (expiresAt !== null) this.#deps.expiresAt(expiresAt);
  }

  #write(input: SendMessage, from: string, principal: Principal, mustBeSo?: (facts: SendFacts) => void): Promise<Done<Planned>> {
    const { store, guard, clock, readers } = this.#deps;
    const { workspace } = principal;
    const sending = { input, from, principal, at: clock.now() };
    const terms: SendTerms = {
      digest: () => digestOf(input),
      rights: (agents) => readers.rightsIn(agents, principal),
      breachOf: (draft) => guard.check(workspace, draft),
    };
    const subject = { workspace, from, replyTo: input.replyTo ?? null, idempotencyKey: input.idempotencyKey ?? null };
    return store.messages.send(subject, (facts) => {
      if (!facts.earlier) mustBeSo?.(facts);
      const planned = planMessage(facts, sending, terms);
      if (planned.answer.outcome === 'sent') guard.count(workspace, planned.answer.message.draft);
      return planned;
    });
  }
}

/** @throws RelayError `message_held`. */
function sentOf({ answer, sent: [stored] }: Done<Planned>): { readonly stored: StoredMessage; readonly duplicate: boolean } {
  if (answer.outcome === 'held') throw heldError(answer.hold);
  if (answer.outcome === 'duplicate') return { stored: answer.stored, duplicate: true };
  if (!stored) throw new Error('The store sent a message and does not say which');
  return { stored, duplicate: false };
}

interface OwnDeed {
  readonly id: number;
  readonly principal: Principal;
  readonly agentId: string | undefined;
  readonly guard: SessionGuard;
  readonly deed: 'delete' | 'dismiss';
}

/** The message, when it is the caller's to do that with; `known` is null also when it is not theirs to read, and so not to be told whose it is. */
function ofSender(known: Message | null, agents: Directory, { id, principal, agentId, guard, deed }: OwnDeed): Message {
  const isOwners = isOwner(principal);
  const isUnnamed = agentId === undefined && (principal.type === 'anonymous' || (principal.type === 'token' && principal.agentId === null));
  const actor = isOwners || (isUnnamed && !known) ? null : actingId(principal, isUnnamed ? known?.from : agentId, 'agentId');
  if (actor !== null) actAs(agents, principal, actor, guard);
  if (!known) throw new RelayError('not_found', `There is no message ${id}`);
  const isSenders = actor === known.from && isOwnAt(agents, principal, actor, id);
  if (!isOwners && !isSenders)
    throw new RelayError('forbidden', `Only the ${known.from} that sent it and the owner may ${deed} message ${id}`);
  return known;
}

/** Whom it reached and who is not there to get it now. The built-in addresses are always there. */
function countOffline({ message }: StoredMessage, agents: Directory): number {
  const isAway = (agent: Agent | null | undefined) => agent != null && agent.status === 'offline' && !isBuiltIn(agent.id);
  if (isDirect(message.to)) return Number(isAway(agents.find(message.to.slice(3))?.agent));
  let count = 0;
  for (const entry of agents.agents()) if (isAway(entry.agent) && isInAudience(message, entry)) count += 1;
  return count;
}
