import {
  type Address,
  type Agent,
  type Message,
  type Principal,
  parseAddress,
  principalName,
  RelayError,
  type RouteInput,
  type SendMessage,
  type SentMessage,
  type SessionGuard,
} from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { actingId } from '../../domain/acting.ts';
import { type Directory, resolveAddress } from '../../domain/address.ts';
import { isDirect, isInAudience } from '../../domain/audience.ts';
import type { AppendUnheld, DeliveryWrite, NewMessage, StoredMessage } from '../../domain/change.ts';
import { endClaim } from '../../domain/claim.ts';
import { claimEvent } from '../../domain/claim-changes.ts';
import { composeMessage } from '../../domain/compose-message.ts';
import { advanceDelivery, type DeliveryRecord } from '../../domain/delivery.ts';
import { heldError, holdOf } from '../../domain/hold-changes.ts';
import { hopsOf } from '../../domain/loop-guard.ts';
import { isBuiltIn } from '../../domain/membership.ts';
import { relationOf } from '../../domain/provenance.ts';
import type { Participants } from '../../domain/readership.ts';
import { assertMayAddress, isOwner } from '../../domain/scopes.ts';
import type { AddressEntry } from '../../store/agent-index.ts';
import type { Store } from '../../store/store.ts';
import { actAs } from '../access/act-as.ts';
import type { Readers } from '../access/readers.ts';
import { digestOf } from '../contract/content-digest.ts';
import type { CallContext } from '../contract/relay-contract.ts';
import type { LoopGuard } from '../guard/loop-guard.ts';
import type { Inboxes } from './inboxes.ts';
import { DELETED, type Receipts } from './receipts.ts';

const DEFAULT_WAIT_MS = 30_000;

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

/** The message with this number, and how many it reaches; throws what refuses it. */
export type Routing = (id: number, repliedTo?: StoredMessage | null) => NewMessage;

/** Sending, and taking back. */
export class Messages {
  readonly #deps: MessagesDeps;

  constructor(deps: MessagesDeps) {
    this.#deps = deps;
  }

  /**
   * `mustBeSo` is asked in the write itself: what it throws refuses the message.
   * @throws RelayError `message_held` when the loop guard keeps it.
   */
  async send(input: SendMessage, { principal, signal }: CallContext, mustBeSo?: () => void): Promise<SentMessage> {
    const from = actingId(principal, input.from, 'from');
    const { stored, duplicate } = await this.#append(input, from, principal, mustBeSo);
    const { message, matched } = stored;
    if (!duplicate) this.noteExpiry(message);
    const offline = this.#countOffline(stored);
    if (!input.waitFor) return { ...message, matched, offline, duplicate };
    const { state, scope = 'all', timeoutMs = DEFAULT_WAIT_MS } = input.waitFor;
    const waited = await this.#deps.receipts.wait(stored, { state, scope, timeoutMs, signal });
    return { ...message, matched, offline, duplicate, waited };
  }

  /** Empties a message; a tombstone stays. Its sender may, and the owner. */
  async remove({ id, agentId, ...guard }: RouteInput<'messages/remove'>, { principal }: CallContext): Promise<void> {
    const { store, clock, inboxes } = this.#deps;
    const { workspace } = principal;
    const now = clock.now();
    const writes: DeliveryWrite[] = [];
    await store.messages.remove(workspace, id, now, (found, open, held) => {
      if (!found || found.message.deletedAt !== null) throw new RelayError('not_found', `There is no message ${id}`);
      const { message } = found;
      this.#assertMayRemove(message, principal, agentId, guard);
      writes.length = 0;
      for (const copy of isDirect(message.to) ? open : open.filter(({ record }) => record.state !== 'queued')) {
        const next = advanceDelivery(copy.record, { state: 'failed', reason: DELETED }, now);
        if (next) writes.push({ messageId: id, agentId: copy.agentId, from: message.from, next, tell: true });
      }
      const cancelled = held ? endClaim(held, { status: 'cancelled', reason: DELETED }, now) : null;
      return {
        deliveries: writes,
        claims: cancelled ? [cancelled] : [],
        events: [
          { type: 'message.deleted', at: now, messageId: id },
          ...(cancelled ? [claimEvent('claim.cancelled', cancelled, now)] : []),
        ],
      };
    });
    inboxes.settleEverywhere(workspace, id);
  }

  #assertMayRemove(message: Message, principal: Principal, agentId: string | undefined, guard: SessionGuard): void {
    if (isOwner(principal)) return;
    const actor = actingId(
      principal,
      agentId ?? (principal.type === 'anonymous' || principal.type === 'token' ? message.from : undefined),
      'agentId',
    );
    actAs(this.#deps.store.agents.index, principal, actor, guard);
    if (actor !== message.from) throw new RelayError('forbidden', `Only ${message.from} and the owner may delete message ${message.id}`);
  }

  async #append(
    input: SendMessage,
    from: string,
    principal: CallContext['principal'],
    mustBeSo?: () => void,
  ): Promise<{ stored: StoredMessage; duplicate: boolean }> {
    const { store, guard, inboxes } = this.#deps;
    const request = this.requestOf(input, from, principal, mustBeSo);
    const { workspace } = request;
    const outcome = await store.messages.append({
      ...request,
      decide: (id, replied) => {
        const appending = request.decide(id, replied);
        const breach = guard.check(workspace, appending.message);
        if (breach) return holdOf(appending.message, breach, digestOf(input));
        guard.count(workspace, appending.message);
        return appending;
      },
    });
    if ('hold' in outcome) throw heldError(outcome.hold);
    const { duplicate, ...stored } = outcome;
    if (duplicate) return { stored, duplicate };
    if (input.replyTo !== undefined) inboxes.settle(workspace, from, [input.replyTo]);
    return { stored, duplicate };
  }

  /** What appends a message, for the store: who may, whom it reaches and what it answers is decided in the write itself. */
  requestOf(input: SendMessage, from: string, principal: Principal, mustBeSo?: () => void): AppendUnheld {
    const { workspace } = principal;
    const messageOf = this.route(input, from, principal);
    const now = this.#deps.clock.now();
    return {
      workspace,
      from,
      replyTo: input.replyTo ?? null,
      idempotency: input.idempotencyKey === undefined ? null : { from, key: input.idempotencyKey, digest: digestOf(input) },
      decide: (id, { repliedTo, copy, participants }) => {
        mustBeSo?.();
        const { message, matched } = messageOf(id, repliedTo);
        // An answer takes part in the thread: nobody answers their way into one that is not theirs.
        if (repliedTo && !copy && !this.#mayAnswer(principal, repliedTo.message, participants)) throw noMessage(repliedTo.message.id);
        return { message, matched, answers: repliedTo && copy ? answerOf(repliedTo.message, copy, from, now) : null };
      },
    };
  }

  /**
   * Reads where something goes. What it answers makes the message, inside the write that numbers it: who may, whom it reaches, what it says.
   * @throws RelayError `validation_failed` when nobody is named.
   */
  route(input: SendMessage, from: string, principal: Principal): Routing {
    const { store, clock } = this.#deps;
    const { workspace } = principal;
    const address = input.to === undefined ? null : this.#read(input.to, workspace);
    if (!address && input.replyTo === undefined) throw invalid('to', 'Say whom the message is for, or which one it answers');
    const createdAt = clock.now();
    const { index } = store.agents;
    return (id, repliedTo = null) => {
      const sender = actAs(index, principal, from);
      if (input.replyTo !== undefined && !repliedTo) throw noMessage(input.replyTo);
      const to = address ? this.resolve(address, workspace, from) : `id:${repliedTo?.message.from}`;
      const channel = input.channel ?? (address?.type === 'channel' ? address.name : null);
      assertMayAddress(principal, { to, channel });
      const recipient = isDirect(to) ? index.find(workspace, to.slice(3)) : undefined;
      const relation = relationOf({ principal, from, kind: sender?.kind ?? null, recipientSpawnedBy: recipient?.spawnedBy ?? null });
      const stamp = { relation, principal: principalName(principal) };
      const threadId = repliedTo?.message.threadId ?? id;
      const hops = hopsOf(relation, repliedTo?.message ?? null);
      const message = composeMessage(input, { id, from, to, channel, threadId, sender: stamp, hops, createdAt });
      return { message, matched: this.countRecipients(workspace, message) };
    };
  }

  /** The one spelling of an address, inside a write. @throws RelayError `ambiguous_target`, `not_found`. */
  resolve(address: Address, workspace: string, from: string): string {
    return resolveAddress(address, this.#directory(workspace, from));
  }

  #mayAnswer(principal: Principal, message: Message, participants: () => Participants): boolean {
    const { reading } = this.#deps.readers.of(principal);
    return !reading || reading.mayRead(message, participants);
  }

  /** How many agents a message reaches, inside the write that numbers it. */
  countRecipients(workspace: string, message: Message): number {
    if (!isDirect(message.to)) return this.#countAudience(workspace, message);
    return Number(this.#deps.store.agents.index.find(workspace, message.to.slice(3))?.agent != null);
  }

  /** Whom it reached and who is not there to get it now. The built-in addresses are always there. */
  #countOffline({ workspace, message }: StoredMessage): number {
    const { index } = this.#deps.store.agents;
    const isAway = (agent: Agent | null | undefined) => agent != null && agent.status === 'offline' && !isBuiltIn(agent.id);
    if (isDirect(message.to)) return Number(isAway(index.find(workspace, message.to.slice(3))?.agent));
    let count = 0;
    for (const entry of index.agents(workspace)) if (isAway(entry.agent) && isInAudience(message, entry)) count += 1;
    return count;
  }

  /** A message has been sent: if it has a time to live, somebody must look when it is over. */
  noteExpiry({ expiresAt }: Pick<Message, 'expiresAt'>): void {
    if (expiresAt !== null) this.#deps.expiresAt(expiresAt);
  }

  /** What a send names is mostly an agent that is there: finding it costs less than taking its address apart. */
  #read(text: string, workspace: string): Address {
    const { index } = this.#deps.store.agents;
    if (text.startsWith('id:') && index.find(workspace, text.slice(3))) return { type: 'id', id: text.slice(3) };
    return text !== 'broadcast' && index.find(workspace, text) ? { type: 'bare', word: text } : readAddress(text);
  }

  /** Members now are members at the message's sequence: it is decided in the write that numbers it. */
  #countAudience(workspace: string, message: Message): number {
    const { index } = this.#deps.store.agents;
    const members: ReadonlySet<AddressEntry> = index.members(workspace, message.to);
    let count = 0;
    for (const entry of members) if (isInAudience(message, entry)) count += 1;
    if (!message.to.startsWith('channel:')) return count;
    for (const entry of index.members(workspace, 'channel:*')) if (!members.has(entry) && isInAudience(message, entry)) count += 1;
    return count;
  }

  #directory(workspace: string, from: string): Directory {
    const { index } = this.#deps.store.agents;
    const idsOf = (entries: Iterable<AddressEntry>) => [...entries].map(({ agentId }) => agentId);
    return {
      isKnown: (agentId) => index.find(workspace, agentId)?.agent != null,
      agents: () => index.agents(workspace),
      named: (name) => idsOf(index.named(workspace, name)),
      labelled: (label) => idsOf(index.members(workspace, `label:${label}`)),
      ofProvider: (provider) =>
        [...index.agents(workspace)].flatMap(({ agentId, agent }) =>
          agent?.provider === provider && agent.status !== 'offline' && agentId !== from ? [agentId] : [],
        ),
    };
  }
}

/** Reads an address from the wire. @throws RelayError `validation_failed` naming the field. */
export function readAddress(text: string, field = 'to'): Address {
  const address = parseAddress(text);
  if (!address) throw invalid(field, 'An address is an id or name, id:, tag:, cap:, label:, machine:, channel:, #channel or broadcast');
  return address;
}

/** The receipt of a message whose recipient answers it; null when it says nothing new. */
export function answerOf(message: Message, copy: DeliveryRecord, from: string, now: number): DeliveryWrite | null {
  const next = advanceDelivery(copy, { state: 'answered', evidence: 'reply' }, now);
  return next && { messageId: message.id, agentId: from, from: message.from, next, tell: true };
}

const noMessage = (id: number): RelayError => new RelayError('not_found', `There is no message ${id} to reply to`);

const invalid = (path: string, message: string): RelayError =>
  new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
