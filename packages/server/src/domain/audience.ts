import type { Message } from 'agent-relay-protocol';
import { containsSequence, EVERY_CHANNEL, type Interval } from './membership.ts';

/** What membership has to say about one agent: its id and its intervals by address. */
export interface Member {
  readonly agentId: string;
  readonly intervals: ReadonlyMap<string, readonly Interval[]>;
}

type Routed = Pick<Message, 'id' | 'from' | 'to' | 'channel'>;

/** Whether a message goes to one agent by its id, whatever that agent follows. */
export const isDirect = (address: string): boolean => address.startsWith('id:');

/**
 * Whether an agent is in a message's audience: named by a direct address, or, for fan-out, a member at the message's own sequence
 * who follows its channel and did not send it.
 */
export function isInAudience(message: Routed, member: Member): boolean {
  if (isDirect(message.to)) return message.to.length === member.agentId.length + 3 && message.to.endsWith(member.agentId);
  if (message.from === member.agentId) return false;
  return belongsTo(message.to, message.id, member) && (message.channel === null || follows(message.channel, message.id, member));
}

function belongsTo(address: string, seq: number, { intervals }: Member): boolean {
  if (containsSequence(intervals.get(address), seq)) return true;
  return address.startsWith('channel:') && containsSequence(intervals.get(EVERY_CHANNEL), seq);
}

const follows = (channel: string, seq: number, { intervals }: Member): boolean =>
  containsSequence(intervals.get(`channel:${channel}`), seq) || containsSequence(intervals.get(EVERY_CHANNEL), seq);

/** Whether work is offered to an agent: by what it belongs to now, so that one that came later sees what is still open. */
export function isOfferedNow({ to, channel }: Pick<Message, 'to' | 'channel'>, { agentId, intervals }: Member): boolean {
  if (isDirect(to)) return to === `id:${agentId}`;
  const belongs = (address: string) => intervals.get(address)?.at(-1)?.untilSeq === null;
  const followsNow = (name: string) => belongs(`channel:${name}`) || belongs(EVERY_CHANNEL);
  const isMember = belongs(to) || (to.startsWith('channel:') && followsNow(to.slice(8)));
  return isMember && (channel === null || followsNow(channel));
}
