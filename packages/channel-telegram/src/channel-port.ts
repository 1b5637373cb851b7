import type { Agent, Message, SentMessage } from 'agent-relay-protocol';

/** Who is meant by what is written in one conversation. */
export interface Binding {
  readonly bindingId: string;
  readonly conversationId: string;
  readonly target: string;
  readonly mode: 'exclusive' | 'fanout';
}

export interface IncomingText {
  readonly conversationId: string;
  readonly body: string;
  readonly sender: { readonly id: string; readonly name: string };
  readonly externalId: string;
  readonly replyToExternalId?: string;
}

export interface OutgoingMail {
  readonly message: Message;
  /** Null when the relay does not know where it belongs. */
  readonly conversationId: string | null;
  readonly replyToExternalId: string | null;
  sent(externalIds: readonly string[]): Promise<void>;
  /** Without a reason it is the relay's own, for mail that it knows no conversation for. */
  failed(reason?: string): Promise<void>;
}

/** The relay, as this channel sees it. */
export interface ChannelPort {
  readonly id: string;
  /** Aborts, with the reason, when this process no longer is the channel. */
  readonly signal: AbortSignal;
  /** Idempotent by conversation and `externalId`; asked again while the relay is away. @throws RelayError `unbound_conversation` when nobody is meant. */
  receive(text: IncomingText): Promise<{ readonly messages: readonly Pick<SentMessage, 'to' | 'matched'>[]; readonly created: boolean }>;
  /** Mail for the people outside, oldest first. What was neither `sent` nor `failed` comes again after a restart; both are asked again as well. */
  outgoing(options: { readonly signal: AbortSignal }): AsyncIterable<OutgoingMail>;
  bind(request: { readonly conversationId: string; readonly target: string }): Promise<Pick<Binding, 'target'>>;
  unbind(bindingId: string): Promise<unknown>;
  bindings(): Promise<readonly Binding[]>;
  agents(): Promise<readonly Agent[]>;
  close(): Promise<void>;
}
