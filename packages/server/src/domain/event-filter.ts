import type { EventFilter, Message, RelayEvent } from 'agent-relay-protocol';
import { isDirect, isInAudience, type Member } from './audience.ts';
import { type About, isReadByMessage, mayReadEvent } from './event-readers.ts';
import { type ReaderRights, rowOf } from './event-table.ts';

/** What a reader asked for, and what it may have of that. */
export type FilterCriteria = Pick<EventFilter, 'for' | 'types' | 'channel'> & ReaderRights;

/** The message an event is about, when it is about one that already existed. */
export const messageAbout = (event: RelayEvent): number | null => rowOf(event).about(event);

/**
 * What concerns an agent may be read by whoever reads as it what the event is about, and by who reads everything: nothing has to be looked up
 * for them. Where an event has a rule of its own, that one says it, whoever asks.
 */
const readsWhatIsAsked = (event: RelayEvent, { for: agentId, readsAll, readsAs }: FilterCriteria): boolean =>
  isReadByMessage(event) && (readsAll || (agentId !== undefined && readsAs(agentId, messageAbout(event) ?? event.seq)));

/** Whether what an event tells of has to be looked up to say who may have it. */
export const needsReading = (event: RelayEvent, criteria: FilterCriteria): boolean =>
  isReadByMessage(event) && !readsWhatIsAsked(event, criteria);

/** Whether the criteria need the message that an event is about, beside the event. */
export const needsMessage = (event: RelayEvent, { for: agentId, channel }: Pick<FilterCriteria, 'for' | 'channel'>): boolean =>
  messageAbout(event) !== null && (channel !== undefined || (agentId !== undefined && rowOf(event).audience !== 'nobody'));

/** Whether a reader with these criteria gets the event. `member` is the agent that `for` names, null when nobody knows it. */
export function matchesFilter(event: RelayEvent, criteria: FilterCriteria, about: About, member: Member | null): boolean {
  const { types, channel, for: agentId } = criteria;
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
function concerns(event: RelayEvent, agentId: string, message: Message | null, member: Member | null): boolean {
  const { agents, audience } = rowOf(event);
  if (agents(event).includes(agentId)) return true;
  if (audience === 'nobody' || message === null) return false;
  return message.from === agentId || (audience === 'offered' && member !== null && isInAudience(message, member));
}

/** The agents an event concerns, where it names all of them by id; null when its audience tells. */
export function namedAgents(event: RelayEvent): readonly string[] | null {
  const { agents, audience } = rowOf(event);
  const isWholly = audience === 'nobody' || (event.type === 'message.new' && isDirect(event.message.to));
  return isWholly ? agents(event) : null;
}
