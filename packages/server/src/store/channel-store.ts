import type { ChannelBinding } from 'agent-relay-protocol';
import type { AppendUnheld, StoredMessage } from '../domain/change.ts';
import type { ChannelLink } from '../domain/channel.ts';

export interface BindRequest {
  readonly workspace: string;
  readonly channelId: string;
  readonly conversationId: string;
  /** Sees the bindings of the conversation; answers the one that holds: a new one, or one of them. */
  decide(existing: readonly ChannelBinding[]): ChannelBinding;
}

/** What the store knows about something that came in. */
export interface InboundState {
  /** Those of the conversation, and those of every conversation. */
  readonly bindings: readonly ChannelBinding[];
  /** The messages linked to what it answers, newest first. */
  readonly answered: readonly StoredMessage[];
}

export interface InboundReport {
  readonly workspace: string;
  readonly channelId: string;
  readonly conversationId: string;
  readonly externalId: string;
  readonly replyToExternalId: string | null;
  /** Answers the messages to append, at least one. None of their decisions refuses any more: they write one after another. */
  decide(found: InboundState): readonly AppendUnheld[];
}

export interface LinkRequest {
  readonly workspace: string;
  readonly channelId: string;
  readonly messageId: number;
  readonly conversationId: string;
  readonly externalIds: readonly string[];
  /** Throws for null itself. */
  decide(found: StoredMessage | null): void;
}

/** Who is bound to the conversations of channels, and what the outside calls messages. Both go with their channel, links also with their message. */
export interface ChannelStore {
  readonly index: ChannelIndex;
  /** By conversation, oldest first; without a channel those of all. */
  bindings(workspace: string, channelId?: string): Promise<readonly ChannelBinding[]>;
  /** Tells `channel.bound` when the binding is new. */
  bind(request: BindRequest): Promise<{ readonly binding: ChannelBinding; readonly created: boolean }>;
  /** Tells `channel.unbound`; `decide` throws for null itself. */
  unbind(
    workspace: string,
    channelId: string,
    bindingId: string,
    at: number,
    decide: (found: ChannelBinding | null) => ChannelBinding,
  ): Promise<ChannelBinding>;
  /** Appends what came in and links it, once: what was brought before is answered again, and `decide` is not asked. */
  receive(report: InboundReport): Promise<{ readonly messages: readonly StoredMessage[]; readonly created: boolean }>;
  /** Remembers what the outside calls the parts of a message; what is known already stays. */
  link(request: LinkRequest): Promise<void>;
  /** What the outside calls a message, parts in their order. */
  linksOf(workspace: string, channelId: string, messageId: number): Promise<readonly ChannelLink[]>;
  /** The link of the newest message of a thread that has one. */
  newestLinkIn(workspace: string, channelId: string, threadId: number): Promise<ChannelLink | null>;
}

/** Asked inside a decision only. */
export interface ChannelIndex {
  isBound(workspace: string, channelId: string): boolean;
}
