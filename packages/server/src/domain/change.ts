import type {
  Agent,
  Approval,
  ApprovalMode,
  Claim,
  HeldClaim,
  Message,
  OpenHold,
  OpenPair,
  Pair,
  RelayEvent,
  Session,
  TokenKind,
} from 'agent-relay-protocol';
import type { DeliveryRecord } from './delivery.ts';
import type { Participants } from './readership.ts';
import type { Grant } from './scopes.ts';
import type { TaskStep } from './task-lifecycle.ts';

/*
 * What every part of the port speaks of: what decisions are shown, and the writes that follow from them.
 */

type WithoutSequence<Event> = Event extends RelayEvent ? Omit<Event, 'seq'> : never;
/** An event before the log has numbered it. */
export type NewEvent = WithoutSequence<RelayEvent>;

/** A message as the log holds it, with what was known when it was sent. */
export interface StoredMessage {
  readonly workspace: string;
  readonly message: Message;
  readonly matched: number;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor: number;
  /** Where the next page begins; null on the last one. */
  readonly next: number | null;
}

/** Writes that follow from one decision. Claims carry their work with them: held holds it, released and expired open it again, the rest close it. */
export interface Change {
  /** `agent: null` removes the address from the directory and ends its memberships; its epoch stays. What was a channel and is none loses its bindings. */
  readonly agents?: readonly { readonly id: string; readonly agent: Agent | null; readonly spawnedBy?: string | null }[];
  readonly claims?: readonly Claim[];
  readonly deliveries?: readonly DeliveryWrite[];
  readonly pairs?: readonly Pair[];
  readonly approvals?: readonly Approval[];
  /** Mail of the relay's own, e.g. notices. */
  readonly messages?: readonly ((id: number) => NewMessage)[];
  readonly events?: readonly NewEvent[];
  /** Steps of tasks. A claim of the same change moves its task only where no step of it is given. */
  readonly tasks?: readonly TaskStep[];
  readonly tokens?: readonly TokenRecord[];
  /** Revokes the session tokens of these agents, before new ones are put. */
  readonly revokeAgentTokens?: readonly string[];
}

export interface DeliveryWrite {
  readonly messageId: number;
  readonly agentId: string;
  /** The sender, who is told. */
  readonly from: string;
  readonly next: DeliveryRecord;
  /** False when the receipt stays what it was and only the read mark is new. */
  readonly tell: boolean;
}

export interface NewMessage {
  readonly message: Message;
  readonly matched: number;
  /** The task that a claimable message offers: what is claimed is the task then. */
  readonly task?: NewTask;
}

/** A task that is created together with the message that offers it. */
export interface NewTask {
  readonly step: TaskStep;
  /** The integration that is told of its life; null when nobody is. */
  readonly callbackTo: string | null;
}

/** A message to append, and the receipt of the one that it answers. */
export type Appending = NewMessage & { readonly answers: DeliveryWrite | null };

/** What a decision about a new message answers instead of the message. */
export interface NewHold {
  readonly hold: OpenHold;
  /** What makes two attempts the same: the second joins the hold of the first. */
  readonly digest: string;
  /** Carried out when the hold is new. */
  readonly change: Change;
}

/** What a new message answers. */
export interface Replied {
  /** The message that `replyTo` names, null when there is none. */
  readonly repliedTo: StoredMessage | null;
  /** The replier's own copy of it, null when the replier is not among its recipients. */
  readonly copy: DeliveryRecord | null;
  /** Looks up who takes part in its thread. */
  readonly participants: () => Participants;
}

export interface AppendMessage {
  readonly workspace: string;
  readonly idempotency: { readonly from: string; readonly key: string; readonly digest: string } | null;
  readonly replyTo: number | null;
  /** Decides what the message with this id is. A message that it answers as held is kept and not sent. */
  decide(id: number, replied: Replied): Appending | NewHold;
  /** Whose copy of the replied message counts: the sender of the reply. */
  readonly from: string;
}

/** As `AppendMessage`, where nothing is held. */
export interface AppendUnheld extends AppendMessage {
  decide(id: number, replied: Replied): Appending;
}

export interface AgentFound {
  readonly agent: Agent | null;
  /** The last epoch this address had, also before it was pruned. */
  readonly epoch: number;
  readonly spawnedBy: string | null;
  /** A person made a token that speaks for it: it is protected in whatever session, or none. */
  readonly isBound: boolean;
  /** What holds for it, or held when it was removed; `open` before anybody said. */
  readonly approval: ApprovalMode;
  readonly heldClaims: readonly HeldClaim[];
  /** The open pair it is in. */
  readonly pair: OpenPair | null;
}

/** A kind of token as the wire calls it: `scoped` are those that people made, whose kind is in `grants`; `login` is a link's code, which is never told. */
export type TokenType = Extract<TokenKind, 'browser' | 'node' | 'session' | 'scoped'> | 'login';

/** What a person gave a token of type `scoped`. */
export interface TokenGrants extends Grant {
  readonly kind: 'scoped' | 'agent' | 'channel' | 'observer';
  readonly createdBy: string;
}

/** A token at rest: only its hash is kept. */
export interface TokenRecord {
  readonly hash: string;
  readonly tokenId: string;
  readonly workspace: string;
  readonly type: TokenType;
  readonly agentId: string | null;
  readonly epoch: number | null;
  readonly nodeId: string | null;
  readonly name: string | null;
  readonly grants: TokenGrants | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

/** What a decision about a session answers: how it stands now, and what follows for its agent, its claims and the log. */
export interface SessionChange {
  readonly session: Session;
  readonly change: Change;
}

/** One recipient's copy, found; a fan-out recipient without a row is found `queued`, whatever the clock says. */
export interface DeliveryFound {
  readonly agentId: string;
  readonly message: Message;
  readonly record: DeliveryRecord;
}

/** What an expired message offered: work that nobody ever claimed, work that somebody did, or none. */
export type ExpiredOffer = 'unclaimed' | 'claimed' | 'none';
