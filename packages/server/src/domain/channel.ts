import {
  type Agent,
  type Channel,
  type ChannelBinding,
  ChannelMetaSchema,
  EVERY_CONVERSATION,
  type Message,
  OWNER_AGENT_ID,
  type Principal,
  RELAY_AGENT_ID,
  type Relation,
  RelayError,
  readLoosely,
} from 'agent-relay-protocol';
import { isDirect } from './audience.ts';
import type { Directory } from './directory.ts';
import { relationOf } from './provenance.ts';
import { agentOf, grantOf, isOwner } from './scopes.ts';
import { unknownAgent } from './unknown-agent.ts';

/** What the outside calls a message, or one of the parts it was sent in. */
export interface ChannelLink {
  readonly messageId: number;
  readonly conversationId: string;
  readonly externalId: string;
}

/** @throws RelayError `not_found` when there is no such channel, with the one that was most likely meant. */
export function asChannel(id: string, agents: Directory): Agent {
  const agent = agents.find(id)?.agent;
  if (agent?.kind === 'channel') return agent;
  throw unknownAgent(id, channelsAmong(agents.agents()), `No channel has the id ${id}`);
}

function* channelsAmong(agents: Iterable<{ readonly agent: Agent | null }>): Iterable<{ readonly agentId: string }> {
  for (const { agent } of agents) if (agent?.kind === 'channel') yield { agentId: agent.id };
}

export function channelOf(agent: Agent, bindings: readonly ChannelBinding[]): Channel {
  const { id, name, label, status, ready, lastSeenAt } = agent;
  const { transport, direction } = agent;
  return {
    id,
    name,
    label,
    transport: transport ?? 'custom',
    direction: direction ?? 'both',
    status,
    ready,
    lastSeenAt,
    bindings: [...bindings],
  };
}

/** Whether a caller makes bindings without being the channel: the owner, and whoever was given `agents:write` without being one agent. */
export const bindsForOthers = (principal: Principal): boolean =>
  isOwner(principal) || (grantOf(principal) !== null && agentOf(principal) === null);

/**
 * The binding that holds after one more is asked for: the new one, or the one that says the same already.
 * @throws RelayError `busy` naming the binding that stands in the way, `validation_failed` when a channel is bound to itself.
 */
export function bindConversation(existing: readonly ChannelBinding[], wanted: ChannelBinding): ChannelBinding {
  const { channelId, target, mode } = wanted;
  if (target === `id:${channelId}`) {
    const message = 'A channel cannot be bound to itself';
    throw new RelayError('validation_failed', `target: ${message}`, { issues: [{ path: 'target', message }] });
  }
  const same = existing.find((binding) => binding.target === target && binding.mode === mode);
  if (same) return same;
  const inTheWay =
    mode === 'exclusive' ? existing[0] : existing.find((binding) => binding.mode === 'exclusive' || binding.target === target);
  if (!inTheWay) return wanted;
  const { bindingId, conversationId } = inTheWay;
  throw new RelayError(
    'busy',
    `Conversation ${conversationId} of ${channelId} is bound to ${inTheWay.target} (${inTheWay.mode}): agent-relay channel unbind ${bindingId}`,
    { details: { bindingId, target: inTheWay.target, mode: inTheWay.mode } },
  );
}

/** Where one message that came in goes. */
export interface InboundRoute {
  readonly to: string;
  readonly replyTo: number | null;
  readonly claimable: boolean;
}

export interface InboundFound {
  readonly channelId: string;
  readonly conversationId: string;
  /** Those of the conversation, and those of every conversation. */
  readonly bindings: readonly ChannelBinding[];
  /** The messages that it answers by what the outside calls them, newest first. */
  readonly answered: readonly Pick<Message, 'id' | 'from' | 'to'>[];
  readonly isRegistered: (agentId: string) => boolean;
}

/**
 * Where what somebody wrote in a conversation goes: an answer to an agent goes to that agent, everything else where the conversation is bound.
 * @throws RelayError `unbound_conversation` saying how to bind it.
 */
export function routeInbound({ channelId, conversationId, bindings, answered, isRegistered }: InboundFound): readonly InboundRoute[] {
  const fromAgent = answered.find(({ from }) => from !== channelId && from !== RELAY_AGENT_ID && isRegistered(from));
  if (fromAgent) return [{ to: `id:${fromAgent.from}`, replyTo: fromAgent.id, claimable: false }];
  const own = bindings.filter((binding) => binding.conversationId === conversationId);
  const standing = own.length > 0 ? own : bindings.filter((binding) => binding.conversationId === EVERY_CONVERSATION);
  if (standing.length === 0) {
    throw new RelayError(
      'unbound_conversation',
      `Conversation ${conversationId} of ${channelId} is bound to nobody: agent-relay channel bind ${shellWord(channelId)} ${conversationId.startsWith('-') ? '-- ' : ''}${shellWord(conversationId)} <agent or group>`,
      { details: { channelId, conversationId } },
    );
  }
  return standing.map(({ target, mode }) => ({
    to: target,
    replyTo: (answered.find(({ to }) => to === target) ?? answered[0])?.id ?? null,
    claimable: mode === 'exclusive' && !isDirect(target),
  }));
}

/** What people outside write is from the channel, as far as anything proves that this is the channel. */
export function inboundRelation(principal: Principal, channelId: string): Relation {
  // The owner who runs a channel vouches for it.
  if (isOwner(principal) && channelId !== OWNER_AGENT_ID) return 'channel';
  return relationOf({ principal, from: channelId, kind: 'channel', recipientSpawnedBy: null });
}

export interface OutboundFound {
  readonly channelId: string;
  readonly message: Pick<Message, 'id' | 'from' | 'meta'>;
  /** Links of the message it answers or, when it is a notice, tells of; parts in their order. */
  readonly answered: readonly ChannelLink[];
  /** The newest link in its thread. */
  readonly inThread: ChannelLink | null;
  /** All of the channel. */
  readonly bindings: readonly ChannelBinding[];
}

/** Where in the world outside something belongs. */
export interface OutsidePlace {
  readonly conversationId: string;
  readonly replyToExternalId: string | null;
}

/**
 * The conversation that mail to a channel belongs to: the one it names; else that of the message it answers; else that of the newest message
 * of its thread that the outside knows; else the only one that is bound to its sender alone.
 * @throws RelayError `unbound_conversation`.
 */
export function placeOutside({ channelId, message, answered, inThread, bindings }: OutboundFound): OutsidePlace {
  const named = namedConversation(message.meta);
  const [first] = named === null ? answered : answered.filter(({ conversationId }) => conversationId === named);
  if (first) return { conversationId: first.conversationId, replyToExternalId: first.externalId };
  const conversationId = named ?? inThread?.conversationId ?? onlyConversationOf(message.from, bindings);
  if (conversationId !== null) return { conversationId, replyToExternalId: null };
  throw new RelayError(
    'unbound_conversation',
    `Message ${message.id} belongs to no conversation of ${channelId}: answer a message that came through it, name one in meta.channel.conversationId, or bind one to id:${message.from}`,
    { details: { channelId, messageId: message.id } },
  );
}

function namedConversation(meta: Message['meta']): string | null {
  const told = readLoosely(ChannelMetaSchema.pick({ conversationId: true }), meta?.['channel']);
  return told && told.conversationId !== EVERY_CONVERSATION ? told.conversationId : null;
}

function onlyConversationOf(sender: string, bindings: readonly ChannelBinding[]): string | null {
  const own = bindings.filter(
    ({ target, mode, conversationId }) => mode === 'exclusive' && target === `id:${sender}` && conversationId !== EVERY_CONVERSATION,
  );
  return own.length === 1 ? (own[0]?.conversationId ?? null) : null;
}

/** @throws RelayError `unsupported` when the channel does not carry messages this way. */
export function assertCarries(channel: Pick<Agent, 'id' | 'direction'>, way: 'inbound' | 'outbound'): void {
  if (channel.direction === null || channel.direction === 'both' || channel.direction === way) return;
  throw new RelayError('unsupported', `${channel.id} is a channel for ${channel.direction} messages only`);
}

/** A word as one types it in a shell. */
const shellWord = (word: string): string => (/^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
