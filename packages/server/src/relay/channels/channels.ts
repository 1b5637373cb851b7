import { randomBytes } from 'node:crypto';
import {
  type Agent,
  type Channel,
  type ChannelBinding,
  type ChannelMeta,
  type Principal,
  principalName,
  RelayError,
  type RouteInput,
  type RouteOutput,
  type SessionGuard,
} from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { isInAudience } from '../../domain/audience.ts';
import type { AppendUnheld, StoredMessage } from '../../domain/change.ts';
import {
  asChannel,
  assertCarries,
  bindConversation,
  bindsForOthers,
  channelOf,
  type InboundRoute,
  inboundRelation,
  placeOutside,
  routeInbound,
} from '../../domain/channel.ts';
import { isGuarded } from '../../domain/loop-guard.ts';
import { isNotice } from '../../domain/notices.ts';
import { nobody } from '../../domain/readership.ts';
import { assertMayActUpon, assertMayAddress } from '../../domain/scopes.ts';
import type { AddressEntry } from '../../store/agent-index.ts';
import type { Store } from '../../store/store.ts';
import { actAs } from '../access/act-as.ts';
import type { Readers } from '../access/readers.ts';
import { listedById } from '../contract/listed.ts';
import type { CallContext, RelayHandlers } from '../contract/relay-contract.ts';
import type { LoopGuard } from '../guard/loop-guard.ts';
import type { Inboxes } from '../mail/inboxes.ts';
import { type Messages, readAddress } from '../mail/messages.ts';

type ChannelRouteName =
  | 'channels/list'
  | 'channels/get'
  | 'channels/bind'
  | 'channels/unbind'
  | 'channels/receive'
  | 'channels/link'
  | 'channels/conversation';

export interface ChannelsDeps {
  readonly store: Pick<Store, 'agents' | 'channels' | 'messages' | 'log'>;
  readonly clock: Clock;
  readonly messages: Messages;
  readonly inboxes: Pick<Inboxes, 'settle'>;
  readonly guard: Pick<LoopGuard, 'check' | 'count'>;
  readonly readers: Readers;
}

/** Conversations with people outside: who is meant in each, what comes in, and where what goes out belongs. */
export class Channels {
  readonly #deps: ChannelsDeps;
  readonly handlers: Pick<RelayHandlers, ChannelRouteName>;

  constructor(deps: ChannelsDeps) {
    this.#deps = deps;
    this.handlers = {
      'channels/list': (page, { principal }) => this.#list(principal.workspace, page),
      'channels/get': async ({ id }, { principal: { workspace } }) =>
        channelOf(this.#channel(workspace, id), await deps.store.channels.bindings(workspace, id)),
      'channels/bind': (input, { principal }) => this.#bind(input, principal),
      'channels/unbind': (input, { principal }) => this.#unbind(input, principal),
      'channels/receive': (input, context) => this.#receive(input, context),
      'channels/link': (input, { principal }) => this.#link(input, principal),
      'channels/conversation': (input, { principal }) => this.#conversation(input, principal),
    };
  }

  async #list(workspace: string, page: RouteInput<'channels/list'>): Promise<RouteOutput<'channels/list'>> {
    const { store } = this.#deps;
    const cursor = store.log.head;
    const bindings = await store.channels.bindings(workspace);
    const data: Channel[] = [];
    for (const { agent } of store.agents.index.agents(workspace)) {
      if (agent?.kind !== 'channel') continue;
      const own = bindings.filter(({ channelId }) => channelId === agent.id);
      data.push(channelOf(agent, own));
    }
    return { ...listedById(data, ({ id }) => id, page), cursor };
  }

  async #bind({ id, conversationId, target, mode = 'exclusive' }: RouteInput<'channels/bind'>, principal: Principal) {
    const { store, messages, clock } = this.#deps;
    const { workspace } = principal;
    const address = readAddress(target, 'target');
    const now = clock.now();
    const { binding, created } = await store.channels.bind({
      workspace,
      channelId: id,
      conversationId,
      decide: (existing) => {
        this.#assertMayBind(principal, id);
        const to = messages.resolve(address, workspace, id);
        assertMayAddress(principal, { to, channel: address.type === 'channel' ? address.name : null });
        return bindConversation(existing, {
          bindingId: randomBytes(6).toString('hex'),
          channelId: id,
          conversationId,
          target: to,
          mode,
          createdAt: now,
          createdBy: principalName(principal),
        });
      },
    });
    return { ...binding, created };
  }

  #unbind({ id, bindingId }: RouteInput<'channels/unbind'>, principal: Principal): Promise<ChannelBinding> {
    const { store, clock } = this.#deps;
    const { workspace } = principal;
    return store.channels.unbind(workspace, id, bindingId, clock.now(), (found) => {
      this.#assertMayBind(principal, id);
      if (found === null) throw new RelayError('not_found', `${id} has no binding ${bindingId}`);
      return found;
    });
  }

  async #receive(input: RouteInput<'channels/receive'>, { principal }: CallContext): Promise<RouteOutput<'channels/receive'>> {
    const { store, inboxes } = this.#deps;
    const { id, instanceId, epoch, conversationId, externalId, replyToExternalId = null } = input;
    const { workspace } = principal;
    // What was brought before is answered again without a decision, yet to nobody but the channel.
    this.#itself(principal, id, { instanceId, epoch });
    const { messages: stored, created } = await store.channels.receive({
      workspace,
      channelId: id,
      conversationId,
      externalId,
      replyToExternalId,
      decide: ({ bindings, answered }) => {
        assertCarries(this.#itself(principal, id, { instanceId, epoch }), 'inbound');
        const isRegistered = (agentId: string) => this.#entry(workspace, agentId)?.agent != null;
        const found = { channelId: id, conversationId, bindings, answered: answered.map(({ message }) => message), isRegistered };
        return routeInbound(found).map((route) => this.#append(input, route, answered, principal));
      },
    });
    const answers = stored.flatMap(({ message }) => message.replyTo ?? []);
    if (created) {
      inboxes.settle(workspace, id, answers);
    }
    return { messages: stored.map(({ message, matched }) => ({ ...message, matched, duplicate: !created })), created };
  }

  /** One message to append. Whatever refuses it refuses it here, before anything has been written. */
  #append(
    { id, body, subject, sender, conversationId, externalId }: RouteInput<'channels/receive'>,
    { to, replyTo, claimable }: InboundRoute,
    answered: readonly StoredMessage[],
    principal: Principal,
  ): AppendUnheld {
    const channel: ChannelMeta = { conversationId, senderId: sender.id, senderName: sender.name, externalId };
    const said = {
      to,
      body,
      meta: { channel: { ...channel } },
      ...(subject === undefined ? {} : { subject }),
      ...(replyTo === null ? {} : { replyTo }),
      ...(claimable ? { claimable } : {}),
    };
    const request = this.#deps.messages.requestOf(said, id, principal);
    const relation = inboundRelation(principal, id);
    const compose: AppendUnheld['decide'] = (number, replied) => {
      const { message, ...rest } = request.decide(number, replied);
      const stamped = { ...message, sender: { ...message.sender, relation } };
      return { ...rest, message: isGuarded(relation) ? stamped : { ...stamped, hops: 0 } };
    };
    const repliedTo = answered.find(({ message }) => message.id === replyTo) ?? null;
    const { message } = compose(this.#deps.store.log.head + 1, { repliedTo, copy: null, participants: () => nobody });
    // Nothing may prove that people wrote this: then it may be an agent that found the channel's door.
    const { guard } = this.#deps;
    const breach = guard.check(principal.workspace, message);
    if (breach) throw new RelayError('rate_limited', `${breach.reason}: only the channel's own token, or the owner's, brings more`);
    const decide: AppendUnheld['decide'] = (number, replied) => {
      const appending = compose(number, replied);
      guard.count(principal.workspace, appending.message);
      return appending;
    };
    return { ...request, decide };
  }

  async #link(
    { id, instanceId, epoch, messageId, conversationId, externalIds }: RouteInput<'channels/link'>,
    principal: Principal,
  ): Promise<RouteOutput<'channels/link'>> {
    const { workspace } = principal;
    await this.#deps.store.channels.link({
      workspace,
      channelId: id,
      messageId,
      conversationId,
      externalIds,
      decide: (found) => {
        this.#itself(principal, id, { instanceId, epoch });
        this.#assertReaches(workspace, id, messageId, found);
      },
    });
    return { messageId, conversationId, externalIds };
  }

  async #conversation({ id, messageId }: RouteInput<'channels/conversation'>, principal: Principal) {
    const { store, readers } = this.#deps;
    const { workspace } = principal;
    const { channels } = store;
    assertCarries(this.#channel(workspace, id), 'outbound');
    const found = await readers.message(principal, messageId);
    const { message } = this.#assertReaches(workspace, id, messageId, found);
    const told = message.payload?.['messageId'];
    const answers = message.replyTo ?? (isNotice(message) && typeof told === 'number' ? told : null);
    return placeOutside({
      channelId: id,
      message,
      answered: answers === null ? [] : await channels.linksOf(workspace, id, answers),
      inThread: await channels.newestLinkIn(workspace, id, message.threadId),
      bindings: await channels.bindings(workspace, id),
    });
  }

  /** A message that is mail to the channel. @throws RelayError `not_found`, `forbidden_target`. */
  #assertReaches(workspace: string, id: string, messageId: number, found: StoredMessage | null): StoredMessage {
    if (found === null) throw new RelayError('not_found', `There is no message ${messageId}`);
    const entry = this.#entry(workspace, id);
    if (entry && isInAudience(found.message, entry)) return found;
    throw new RelayError('forbidden_target', `Message ${messageId} is not in the mail of ${id}`);
  }

  #assertMayBind(principal: Principal, id: string): void {
    this.#channel(principal.workspace, id);
    if (bindsForOthers(principal)) assertMayActUpon(principal, id);
    else this.#itself(principal, id, {});
  }

  /** The channel, when the caller acts as it. */
  #itself(principal: Principal, id: string, guard: SessionGuard): Agent {
    const channel = this.#channel(principal.workspace, id);
    actAs(this.#deps.store.agents.index, principal, id, guard);
    return channel;
  }

  #channel(workspace: string, id: string): Agent {
    return asChannel(id, this.#entry(workspace, id)?.agent, () => this.#deps.store.agents.index.agents(workspace));
  }

  #entry(workspace: string, id: string): AddressEntry | undefined {
    return this.#deps.store.agents.index.find(workspace, id);
  }
}
