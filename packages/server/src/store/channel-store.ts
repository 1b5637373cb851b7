import type { ChannelBinding } from 'agent-relay-protocol';
import type { Change, StoredMessage } from '../domain/change.ts';
import type { ChannelLink } from '../domain/channel.ts';
import type { BindingFacts, Decision, Done, Facts, InboundFacts, ReadingFacts } from '../domain/facts.ts';

export interface Conversation {
  readonly workspace: string;
  readonly channelId: string;
  readonly conversationId: string;
}

/** Something that came in, by what the outside calls it and what it answers. */
export interface InboundSubject extends Conversation {
  readonly externalId: string;
  readonly replyToExternalId: string | null;
}

/** Who is bound to the conversations of channels, and what the outside calls messages. Both go with their channel, links also with their message. */
export interface ChannelStore {
  /** By conversation, oldest first; without a channel those of all. */
  bindings(workspace: string, channelId?: string): Promise<readonly ChannelBinding[]>;
  /** `decide` sees the bindings of the conversation. */
  bind<Answer>(conversation: Conversation, decide: (facts: BindingFacts) => Decision<Answer>): Promise<Answer>;
  /** `decide` sees the binding of this id. */
  unbind<Answer>(
    binding: { readonly workspace: string; readonly channelId: string; readonly bindingId: string },
    decide: (found: ChannelBinding | null, facts: Facts) => Decision<Answer>,
  ): Promise<Answer>;
  receive<Answer>(subject: InboundSubject, decide: (facts: InboundFacts) => Decision<Answer>): Promise<Done<Answer>>;
  /** Remembers what the outside calls the parts of a message, as `Change.links` says it; what is known already stays. */
  link(workspace: string, messageId: number, decide: (found: StoredMessage | null, facts: ReadingFacts) => Change): Promise<void>;
  /** What the outside calls a message, parts in their order. */
  linksOf(workspace: string, channelId: string, messageId: number): Promise<readonly ChannelLink[]>;
  /** The link of the newest message of a thread that has one. */
  newestLinkIn(workspace: string, channelId: string, threadId: number): Promise<ChannelLink | null>;
}
