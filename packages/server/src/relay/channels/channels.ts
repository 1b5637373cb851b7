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
import { actAs } from '../../domain/act-as.ts';
import { readAddress, resolveAddress } from '../../domain/address.ts';
import { isInAudience } from '../../domain/audience.ts';
import type { DeliveryWrite, NewMessage, StoredMessage } from '../../domain/change.ts';
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
import type { Directory } from '../../domain/directory.ts';
import type { Decision, InboundFacts } from '../../domain/facts.ts';
import { isGuarded } from '../../domain/loop-guard.ts';
import { isNotice } from '../../domain/notices.ts';
import { planAnswer } from '../../domain/plan-message.ts';
import { mayReadIn, nobody } from '../../domain/readership.ts';
import { assertMayActUpon, assertMayAddress } from '../../domain/scopes.ts';
import type { Store } from '../../store/store.ts';
import type { Readers } from '../access/readers.ts';
import { listedById } from '../contract/listed.ts';
import type { CallContext, HandlersOf } from '../contract/relay-contract.ts';
import type { LoopGuard } from '../guard/loop-guard.ts';
import type { Inboxes } from '../mail/inboxes.ts';
import type { Messages } from '../mail/messages.ts';

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
  readonly handlers: HandlersOf<'channels'>;

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
    for (const { agent } of store.agents.index.in(workspace).agents()) {
      if (agent?.kind !== 'channel') continue;
      const own = bindings.filter(({ channelId }) => channelId === agent.id);
      data.push(channelOf(agent, own));
    }
    return { ...listedById(data, ({ id }) => id, page), cursor };
  }

  async #bind({ id, conversationId, target, mode = 'exclusive' }: RouteInput<'channels/bind'>, principal: Principal) {
    const { store, clock } = this.#deps;
    const { workspace } = principal;
    const address = readAddress(target, 'target');
    const now = clock.now();
    const { binding, created } = await store.channels.bind({ workspace, channelId: id, conversationId }, ({ existing, agents }) => {
      this.#assertMayBind(principal, id, agents);
      const to = resolveAddress(address, agents, id);
      assertMayAddress(principal, { to, channel: address.type === 'channel' ? address.name : null });
      const bindingId = randomBytes(6).toString('hex');
      const createdBy = principalName(principal);
      const wanted: ChannelBinding = { bindingId, channelId: id, conversationId, target: to, mode, createdAt: now, createdBy };
      return bindingDecision(existing, bindConversation(existing, wanted), now);
    });
    return { ...binding, created };
  }

  #unbind({ id, bindingId }: RouteInput<'channels/unbind'>, principal: Principal): Promise<ChannelBinding> {
    const { store, clock } = this.#deps;
    const { workspace } = principal;
    const at = clock.now();
    return store.channels.unbind<ChannelBinding>({ workspace, channelId: id, bindingId }, (found, { agents }) => {
      this.#assertMayBind(principal, id, agents);
      if (found === null) throw new RelayError('not_found', `${id} has no binding ${bindingId}`);
      return { answer: found, change: { at, events: [{ type: 'channel.unbound', at, binding: found }], unbound: [found] } };
    });
  }

  async #receive(input: RouteInput<'channels/receive'>, { principal }: CallContext): Promise<RouteOutput<'channels/receive'>> {
    const { store, inboxes } = this.#deps;
    const { id, instanceId, epoch, conversationId, externalId, replyToExternalId = null } = input;
    const { workspace } = principal;
    const subject = { workspace, channelId: id, conversationId, externalId, replyToExternalId };
    const { answer, sent } = await store.channels.receive(subject, (facts) => {
      const channel = itself(facts.agents, principal, id, { instanceId, epoch });
      // What was brought before is answered again, whatever is bound now.
      return facts.earlier.length > 0 ? { answer: facts.earlier, change: null } : this.#bring(input, facts, channel, principal);
    });
    const created = answer === null;
    if (created) {
      const answers = sent.flatMap(({ message }) => message.replyTo ?? []);
      inboxes.settle(workspace, id, answers);
    }
    return { messages: (answer ?? sent).map(({ message, matched }) => ({ ...message, matched, duplicate: !created })), created };
  }

  /** What comes in becomes a message to each that it is for. Answers null: nothing of it was there. */
  #bring(
    input: RouteInput<'channels/receive'>,
    facts: InboundFacts,
    channel: Agent,
    principal: Principal,
  ): Decision<readonly StoredMessage[] | null> {
    assertCarries(channel, 'inbound');
    const { guard, clock } = this.#deps;
    const { id, conversationId } = input;
    const { bindings, answered, agents } = facts;
    const at = clock.now();
    const isRegistered = (agentId: string) => agents.find(agentId)?.agent != null;
    const routes = routeInbound({
      channelId: id,
      conversationId,
      bindings,
      answered: answered.map(({ repliedTo }) => repliedTo.message),
      isRegistered,
    });
    const planned = routes.map((route) => this.#plan(input, route, facts, { principal, at }));
    for (const { message } of planned) {
      // Nothing may prove that people wrote this: then it may be an agent that found the channel's door.
      const breach = guard.check(principal.workspace, message.draft);
      if (breach) throw new RelayError('rate_limited', `${breach.reason}: only the channel's own token, or the owner's, brings more`);
    }
    for (const { message } of planned) guard.count(principal.workspace, message.draft);
    const sent = planned.map(({ message }) => message);
    return { answer: null, change: { at, sent, deliveries: planned.flatMap(({ receipt }) => receipt ?? []) } };
  }

  /** One message. Whatever refuses it refuses all that came in. */
  #plan(
    { id, body, subject, sender, conversationId, externalId }: RouteInput<'channels/receive'>,
    { to, replyTo, claimable }: InboundRoute,
    facts: InboundFacts,
    { principal, at }: { readonly principal: Principal; readonly at: number },
  ): { readonly message: NewMessage; readonly receipt: DeliveryWrite | null } {
    const channel: ChannelMeta = { conversationId, senderId: sender.id, senderName: sender.name, externalId };
    const input = {
      to,
      body,
      meta: { channel: { ...channel } },
      ...(subject === undefined ? {} : { subject }),
      ...(replyTo === null ? {} : { replyTo }),
      ...(claimable ? { claimable } : {}),
    };
    const found = facts.answered.find(({ repliedTo }) => repliedTo.message.id === replyTo);
    const replied = { repliedTo: found?.repliedTo ?? null, copy: found?.copy ?? null };
    const participants = () => (found ? facts.participantsOf(found.repliedTo.message) : nobody);
    const rights = (agents: Directory) => this.#deps.readers.rightsIn(agents, principal);
    const { message, receipt } = planAnswer({ ...facts, ...replied, participants }, { input, from: id, principal, at }, rights);
    const relation = inboundRelation(principal, id);
    const { draft } = message;
    const stamped = { ...draft, sender: { ...draft.sender, relation }, hops: isGuarded(relation) ? draft.hops : 0 };
    return { message: { ...message, draft: stamped, link: { conversationId, externalId } }, receipt };
  }

  async #link(
    { id, instanceId, epoch, messageId, conversationId, externalIds }: RouteInput<'channels/link'>,
    principal: Principal,
  ): Promise<RouteOutput<'channels/link'>> {
    const { workspace } = principal;
    const { store, clock, readers } = this.#deps;
    const rightsIn = (shown: Directory) => readers.rightsIn(shown, principal);
    // A long thread is looked at in turns before the write, which finds it known.
    await readers.find(principal, messageId);
    const at = clock.now();
    await store.channels.link(workspace, messageId, (found, { agents, participants }) => {
      itself(agents, principal, id, { instanceId, epoch });
      const mayRead = found !== null && mayReadIn(rightsIn(agents), found.message, participants);
      assertReaches(agents, id, messageId, mayRead ? found : null);
      const links = externalIds.map((externalId, part) => ({ channelId: id, conversationId, externalId, messageId, part }));
      return { at, links };
    });
    return { messageId, conversationId, externalIds };
  }

  async #conversation({ id, messageId }: RouteInput<'channels/conversation'>, principal: Principal) {
    const { store, readers } = this.#deps;
    const { workspace } = principal;
    const { channels } = store;
    assertCarries(this.#channel(workspace, id), 'outbound');
    const found = await readers.message(principal, messageId);
    const { message } = assertReaches(store.agents.index.in(workspace), id, messageId, found);
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

  #assertMayBind(principal: Principal, id: string, agents: Directory): void {
    asChannel(id, agents);
    if (bindsForOthers(principal)) assertMayActUpon(principal, id);
    else itself(agents, principal, id, {});
  }

  #channel(workspace: string, id: string): Agent {
    return asChannel(id, this.#deps.store.agents.index.in(workspace));
  }
}

/** A message that is mail to the channel. @throws RelayError `not_found`, `forbidden_target`. */
function assertReaches(agents: Directory, id: string, messageId: number, found: StoredMessage | null): StoredMessage {
  if (found === null) throw new RelayError('not_found', `There is no message ${messageId}`);
  const entry = agents.find(id);
  if (entry && isInAudience(found.message, entry)) return found;
  throw new RelayError('forbidden_target', `Message ${messageId} is not in the mail of ${id}`);
}

/** The channel, when the caller acts as it. */
function itself(agents: Directory, principal: Principal, id: string, guard: SessionGuard): Agent {
  const channel = asChannel(id, agents);
  actAs(agents, principal, id, guard);
  return channel;
}

/** Writes a binding that was not there. */
function bindingDecision(
  existing: readonly ChannelBinding[],
  binding: ChannelBinding,
  at: number,
): Decision<{ readonly binding: ChannelBinding; readonly created: boolean }> {
  if (existing.includes(binding)) return { answer: { binding, created: false }, change: null };
  return { answer: { binding, created: true }, change: { at, events: [{ type: 'channel.bound', at, binding }], bound: [binding] } };
}
