import type { ChannelBinding, RouteOutput, RouteRequest } from 'agent-relay-protocol';
import type { AgentHandle } from './agent-handle.ts';
import type { RelayCalls } from './calls.ts';
import type { InboxOptions, InboxSource } from './inbox.ts';
import { type OutgoingMail, readOutgoing } from './outgoing-mail.ts';
import { persist } from './persist.ts';

/** What somebody wrote in a conversation outside. */
export type IncomingMail = Omit<RouteRequest<'channels/receive'>, 'id' | 'instanceId' | 'epoch'>;

interface ChannelHandleOptions {
  readonly calls: RelayCalls;
  readonly agent: AgentHandle;
  readonly openInbox: InboxSource;
}

/** A live channel: brings in what people outside write, and hands out what agents answer. It lives as long as its agent. */
export class ChannelHandle {
  readonly agent: AgentHandle;
  readonly #options: ChannelHandleOptions;

  constructor(options: ChannelHandleOptions) {
    this.#options = options;
    this.agent = options.agent;
  }

  get id(): string {
    return this.agent.id;
  }

  /** Aborts when this process no longer is the channel. */
  get signal(): AbortSignal {
    return this.agent.signal;
  }

  /**
   * Brings in one message. Resolves when it is on the relay's disk; asked again while the relay is away, until `signal` aborts. The same `externalId` of a
   * conversation answers the first messages, so what may have been lost can be brought again.
   * @throws RelayError `unbound_conversation` when nobody is bound to the conversation: nothing was stored.
   */
  receive(mail: IncomingMail, options: { readonly signal?: AbortSignal } = {}): Promise<RouteOutput<'channels/receive'>> {
    const { calls, agent } = this.#options;
    const signal = options.signal ? AbortSignal.any([options.signal, this.signal]) : this.signal;
    return persist(() => calls.channels.receive({ ...mail, id: agent.id, ...guardOf(agent) }, { signal }), signal);
  }

  /** Mail for the outside, oldest first, one piece at a time; ends when the channel does. */
  outgoing(options: InboxOptions = {}): AsyncGenerator<OutgoingMail, void, undefined> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.signal]) : this.signal;
    return readOutgoing({ ...this.#options, guard: () => guardOf(this.agent) }, { ...options, signal });
  }

  bind(binding: Omit<RouteRequest<'channels/bind'>, 'id'>): Promise<RouteOutput<'channels/bind'>> {
    return this.#options.calls.channels.bind({ ...binding, id: this.id });
  }

  unbind({ bindingId }: Pick<ChannelBinding, 'bindingId'>): Promise<ChannelBinding> {
    return this.#options.calls.channels.unbind({ id: this.id, bindingId });
  }

  /** Goes offline; bindings and mail stay. Idempotent. */
  close(): Promise<void> {
    return this.agent.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const guardOf = ({ instanceId, epoch }: AgentHandle) => ({ instanceId, epoch });
