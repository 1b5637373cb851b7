import type {
  Agent,
  Approval,
  ChannelBinding,
  Claim,
  Hold,
  Message,
  Node,
  RelayEvent,
  ReportedEvent,
  Session,
  TokenKind,
} from 'agent-relay-protocol';
import type { ChannelLink } from './channel.ts';
import type { DeliveryRecord } from './delivery.ts';
import type { Draft } from './message.ts';
import type { RecordWrite } from './resource.ts';
import type { Grant } from './scopes.ts';
import type { TaskStep } from './task-lifecycle.ts';

/*
 * What every part of the port speaks of: records as they are kept, and the writes that follow from a decision. What a decision is shown is in
 * `facts.ts`.
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

/**
 * Writes that follow from one decision, in the order of the fields. What follows from them in turn is added by `follow`: a claim moves its
 * task, whoever goes offline gives back what it held.
 */
export interface Change {
  /** When all of it happens. */
  readonly at: number;
  /** Written first, in this order: the first gets the number that its decision was shown as `nextId`. */
  readonly sent?: readonly NewMessage[];
  readonly events?: readonly NewEvent[];
  readonly agents?: readonly AgentWrite[];
  readonly claims?: readonly Claim[];
  /** What claims make of their work: `follow` says it. */
  readonly work?: readonly WorkWrite[];
  /** Steps of tasks. A claim of the same change moves its task only where no step of it is given. */
  readonly tasks?: readonly TaskStep[];
  /** Work that nobody may claim any more, whatever became of it. */
  readonly closedWork?: readonly Pick<Claim, 'kind' | 'subjectId'>[];
  /** Of resources that have no field of their own. */
  readonly records?: readonly RecordWrite[];
  readonly approvals?: readonly Approval[];
  readonly sessions?: readonly Session[];
  /** Who steers agents by it, where its other fields do not tell. */
  readonly steers?: readonly Steer[];
  readonly holds?: readonly HoldWrite[];
  readonly bound?: readonly ChannelBinding[];
  readonly unbound?: readonly ChannelBinding[];
  /** No channels any more: what the outside calls their messages is forgotten. */
  readonly endedChannels?: readonly string[];
  /** What the outside calls messages that are there. */
  readonly links?: readonly (ChannelLink & { readonly channelId: string; readonly part: number })[];
  /** Emptied: who said it to whom and in which thread stays. */
  readonly emptied?: readonly Message[];
  readonly deliveries?: readonly DeliveryWrite[];
  /** Mail of people that did not arrive, or did after all. */
  readonly deadLetters?: readonly DeadLetterWrite[];
  /** Revokes the session tokens of these agents, before new ones are put. */
  readonly revokeAgentTokens?: readonly string[];
  readonly tokens?: readonly TokenRecord[];
  /** Tokens that are good for nothing any more, as they were: gone, and whoever came with them. */
  readonly endedTokens?: readonly TokenRecord[];
  /** Tokens that are called something else from now on. */
  readonly namedTokens?: readonly TokenRecord[];
  /** Whose subscriptions to pushes end, with what is on its way to them: ids of tokens. */
  readonly endedHolders?: readonly string[];
  readonly nodes?: readonly NodeWrite[];
  /** Revokes the links to logs of this agent, and tells of each. */
  readonly revokeSharesOf?: { readonly agentId: string; readonly by: string };
  /** What became of a report, for whoever sends it again under its key. */
  readonly reportKey?: ReportKey;
  /** Mail of the relay's own that tells of it, numbered after everything else. */
  readonly notices?: readonly NewMessage[];
}

/** Null takes the machine out, and its tokens with it. */
export interface NodeWrite {
  readonly nodeId: string;
  readonly node: Node | null;
}

/** Somebody steers an agent in the session that it has; nobody does where it has another one than is named. */
export interface Steer {
  readonly agentId: string;
  readonly sessionId?: string;
  readonly by: string;
}

export interface WorkWrite extends Pick<Claim, 'kind' | 'subjectId'> {
  readonly status: 'open' | 'held' | 'closed';
  readonly fence: number;
  /** The newest on it. */
  readonly claimId: string;
}

export interface AgentWrite {
  readonly id: string;
  /** Null removes the address from the directory and ends its memberships; its epoch stays. */
  readonly agent: Agent | null;
  /** Left out, it stays as it is. */
  readonly spawnedBy?: string | null;
  /** Why it gives up what it held, where it does: for those who are told. */
  readonly because?: string;
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

export interface DeadLetterWrite {
  readonly messageId: number;
  readonly from: string;
  /** It waits for its sender to look at it; it has arrived, unless it did not elsewhere; or it waits for nobody any more. */
  readonly status: 'waits' | 'arrived' | 'over';
}

export interface NewMessage {
  readonly draft: Draft;
  /** How many agents it reaches. */
  readonly matched: number;
  /** The task that a claimable message offers: what is claimed is the task then. */
  readonly task?: NewTask;
  /** Under which key its sender sent it. */
  readonly key?: AttemptKey;
  /** What the outside calls it, where it came from. */
  readonly link?: Pick<ChannelLink, 'conversationId' | 'externalId'>;
}

/** What makes two attempts at sending the same. */
export interface AttemptKey {
  readonly key: string;
  /** Of what is said. */
  readonly digest: string;
}

export interface HoldWrite {
  readonly hold: Hold;
  /** What makes another attempt the same as this one; null where the hold is known already. */
  readonly attempt: { readonly digest: string; readonly key: string | null } | null;
  /** A further idempotency key under which the attempt came that is held. */
  readonly joinedUnder?: string;
}

export interface ReportKey extends AttemptKey {
  readonly source: string;
  readonly outcome: ReportedEvent['outcome'];
  readonly taskId: number | null;
}

/** A task that is created together with the message that offers it. */
export interface NewTask {
  readonly step: TaskStep;
  /** The integration that is told of its life; null when nobody is. */
  readonly callbackTo: string | null;
}

/** A kind of token as the wire calls it: `scoped` are those that people made, whose kind is in `grants`; `login` is a link's code and `dial` one
 * for a session that dials in, which are never told. */
export type TokenType = Extract<TokenKind, 'browser' | 'node' | 'session' | 'share' | 'scoped'> | 'login' | 'dial';

/** What a person gave a token of type `scoped`. */
export interface TokenGrants extends Grant {
  readonly kind: 'scoped' | 'agent' | 'channel' | 'observer';
  readonly createdBy: string;
}

/** What a token of type `share` opens, and who made it. */
export interface ShareTerms {
  readonly sessionId: string;
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
  readonly share: ShareTerms | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

/** One recipient's copy, found; a fan-out recipient without a row is found `queued`, whatever the clock says. */
export interface DeliveryFound {
  readonly agentId: string;
  readonly message: Message;
  readonly record: DeliveryRecord;
}
