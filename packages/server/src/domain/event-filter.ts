import type { EventFilter, Message, RelayEvent } from 'agent-relay-protocol';
import { isInAudience, type Member } from './audience.ts';
import { type About, isReadByMessage, mayReadEvent, type ReaderRights } from './event-readers.ts';
import { nobody } from './readership.ts';

/** What a reader asked for, and what it may have of that. */
export type FilterCriteria = Pick<EventFilter, 'for' | 'types' | 'channel'> & ReaderRights;

/** For an event of which nothing had to be looked up. */
export const unread: About = { message: null, participants: nobody };

/** The message an event is about, when it is about one that already existed. */
export function messageIdOf(event: RelayEvent): number | null {
  if ('messageId' in event) return event.messageId;
  // A task has the id of the message that offers it.
  if ('task' in event) return event.task.id;
  return event.type === 'work.available' ? event.subjectId : null;
}

/** What concerns an agent may be read by whoever reads as it, and by who reads everything: nothing has to be looked up for them. */
const readsWhatIsAsked = ({ seq }: RelayEvent, { for: agentId, readsAll, readsAs }: FilterCriteria): boolean =>
  readsAll || (agentId !== undefined && readsAs(agentId, seq));

/** Whether what an event tells of has to be looked up to say who may have it. */
export const needsReading = (event: RelayEvent, criteria: FilterCriteria): boolean =>
  isReadByMessage(event) && !readsWhatIsAsked(event, criteria);

/** Whether the criteria need the message that an event is about, beside the event. */
export const needsMessage = (event: RelayEvent, { for: agentId, channel }: Pick<FilterCriteria, 'for' | 'channel'>): boolean =>
  messageIdOf(event) !== null &&
  (channel !== undefined || (agentId !== undefined && (ofAudience.has(event.type) || event.type === 'message.read' || 'task' in event)));

/** What everybody who was offered a message is told, whoever did it. */
const ofAudience: ReadonlySet<RelayEvent['type']> = new Set(['message.claimed', 'message.deleted', 'work.available']);

/** Whether a reader with these criteria gets the event. `member` is the agent that `for` names, null when nobody knows it. */
export function matchesFilter(event: RelayEvent, criteria: FilterCriteria, about: About, member: Member | null): boolean {
  const { types, channel, for: agentId } = criteria;
  if ('token' in event && !criteria.seesTokens) return false;
  if ('approval' in event && !criteria.seesApprovalsOf(event.approval.agentId)) return false;
  if (types && !types.some((name) => isNamed(event.type, name))) return false;
  const message = event.type === 'message.new' ? event.message : about.message;
  if (channel !== undefined && message?.channel !== channel) return false;
  if (agentId !== undefined && !concerns(event, agentId, message, member)) return false;
  return readsWhatIsAsked(event, criteria) || mayReadEvent(event, criteria, { message, participants: about.participants });
}

/** A noun finds all of its events; a claim begins with one that is named after the message. */
const isNamed = (type: RelayEvent['type'], name: string): boolean =>
  type === name || type.startsWith(`${name}.`) || (name === 'claim' && type === 'message.claimed');

/** Mail to or from the agent, its receipts, its claims and work, its presence. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one case for each event that there is, and the compiler counts them
function concerns(event: RelayEvent, agentId: string, message: Message | null, member: Member | null): boolean {
  switch (event.type) {
    case 'message.new':
    case 'message.deleted':
    case 'work.available':
      return isOffered(message, agentId, member);
    case 'message.held':
    case 'message.released':
    case 'message.refused':
      return event.hold.message.from === agentId;
    case 'message.read':
      return event.agentId === agentId || message?.from === agentId;
    case 'message.claimed':
      return event.claim.agentId === agentId || isOffered(message, agentId, member);
    case 'claim.renewed':
    case 'claim.progressed':
    case 'claim.completed':
    case 'claim.released':
    case 'claim.expired':
    case 'claim.cancelled':
      return event.claim.agentId === agentId;
    case 'delivery.dispatched':
    case 'delivery.delivered':
    case 'delivery.seen':
    case 'delivery.answered':
    case 'delivery.failed':
    case 'delivery.expired':
      return event.agentId === agentId || event.from === agentId;
    case 'agent.registered':
    case 'agent.updated':
    case 'agent.status':
      return event.agent.id === agentId;
    case 'agent.stalled':
    case 'agent.removed':
      return event.agentId === agentId;
    case 'session.started':
    case 'session.updated':
    case 'session.ended':
      return event.session.agentId === agentId;
    case 'approval.requested':
    case 'approval.resolved':
      return event.approval.agentId === agentId;
    case 'task.created':
    case 'task.repeated':
    case 'task.claimed':
    case 'task.updated':
    case 'task.released':
    case 'task.completed':
    case 'task.failed':
    case 'task.canceled':
      return (
        event.task.claimedBy === agentId ||
        event.task.source === agentId ||
        (message !== null && member !== null && isInAudience(message, member))
      );
    case 'pair.requested':
    case 'pair.accepted':
    case 'pair.rejected':
    case 'pair.ended':
      return event.pair.requester === agentId || event.pair.target === agentId;
    case 'channel.bound':
    case 'channel.unbound':
      return event.binding.channelId === agentId || event.binding.target === `id:${agentId}`;
    case 'callback.updated':
      return event.integration === agentId;
    case 'node.connected':
    case 'node.disconnected':
      return false;
    case 'token.created':
    case 'token.revoked':
    case 'token.expired':
      return event.token.agentId === agentId;
  }
}

const isOffered = (message: Message | null, agentId: string, member: Member | null): boolean =>
  message !== null && (message.from === agentId || (member !== null && isInAudience(message, member)));

/** The agents an event names by id; null when only its audience tells, or when it names none. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one case for each event that there is, and the compiler counts them
export function namedAgents(event: RelayEvent): readonly string[] | null {
  switch (event.type) {
    case 'message.new':
      return event.message.to.startsWith('id:') ? [event.message.from, event.message.to.slice(3)] : null;
    case 'delivery.dispatched':
    case 'delivery.delivered':
    case 'delivery.seen':
    case 'delivery.answered':
    case 'delivery.failed':
    case 'delivery.expired':
      return [event.agentId, event.from];
    case 'message.held':
    case 'message.released':
    case 'message.refused':
      return [event.hold.message.from];
    case 'agent.stalled':
    case 'agent.removed':
      return [event.agentId];
    case 'agent.registered':
    case 'agent.updated':
    case 'agent.status':
      return [event.agent.id];
    case 'claim.renewed':
    case 'claim.progressed':
    case 'claim.completed':
    case 'claim.released':
    case 'claim.expired':
    case 'claim.cancelled':
      return [event.claim.agentId];
    case 'session.started':
    case 'session.updated':
    case 'session.ended':
      return [event.session.agentId];
    case 'approval.requested':
    case 'approval.resolved':
      return [event.approval.agentId];
    case 'pair.requested':
    case 'pair.accepted':
    case 'pair.rejected':
    case 'pair.ended':
      return [event.pair.requester, event.pair.target];
    case 'channel.bound':
    case 'channel.unbound':
      return event.binding.target.startsWith('id:') ? [event.binding.channelId, event.binding.target.slice(3)] : [event.binding.channelId];
    case 'callback.updated':
      return [event.integration];
    case 'node.connected':
    case 'node.disconnected':
      return [];
    case 'token.created':
    case 'token.revoked':
    case 'token.expired':
      return event.token.agentId === null ? [] : [event.token.agentId];
    case 'message.read':
    case 'message.claimed':
    case 'message.deleted':
    case 'work.available':
    case 'task.created':
    case 'task.repeated':
    case 'task.claimed':
    case 'task.updated':
    case 'task.released':
    case 'task.completed':
    case 'task.failed':
    case 'task.canceled':
      return null;
  }
}
