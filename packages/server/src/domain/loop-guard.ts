import type { GuardRule, Message, Relation } from 'agent-relay-protocol';
import { countIn, type SlidingMinute, waitFor } from './sliding-minute.ts';

/** What agents may do among themselves before a person is asked. 0 switches a limit off. */
export interface GuardLimits {
  /** Answers of agents to agents in a row. */
  readonly hops: number;
  /** Exchanges a minute of two agents, or of all agents that share a group address. */
  readonly pairPerMinute: number;
  /** Exchanges a minute in one thread. */
  readonly threadPerMinute: number;
  /** How often one agent may say the same words in a row while others say something in between. */
  readonly repeats: number;
  /** Tokens, cached ones not counted, that an agent may use in an hour and still get mail from other agents. */
  readonly tokensPerHour: number;
}

/** Why a message is not sent now. */
export interface Breach {
  readonly rule: GuardRule;
  readonly reason: string;
}

/** Agents are guarded, not people and not what is outside: those do not answer by themselves. */
export const isGuarded = (relation: Relation): boolean => relation === 'peer' || relation === 'lead' || relation === 'claimed';

/** A guarded answer is one hop further than what it answers; everything else begins anew. */
export const hopsOf = (relation: Relation, repliedTo: Pick<Message, 'hops'> | null): number =>
  isGuarded(relation) && repliedTo ? repliedTo.hops + 1 : 0;

/** What is remembered of those who talk in one place: a pair, a group address, a thread. */
export interface Talk {
  readonly lastSender: string;
  /** Exchanges, not messages. */
  readonly exchanges: SlidingMinute;
  /** What each of them said last, as a digest, and how often in a row; the newest last, and only so many. */
  readonly said: ReadonlyMap<string, { readonly digest: string; readonly count: number }>;
}

export interface Said {
  readonly from: string;
  /** Asked only when the message is part of an exchange: digests cost more than all the rest. */
  readonly digest: () => string;
}

const REMEMBERED_SPEAKERS = 16;

/**
 * The conversation after a message, and what the message broke. Only an exchange counts, a message that follows somebody else's: whoever
 * writes many messages to one who does not answer is in no loop.
 */
export function continueConversation(
  before: Talk | undefined,
  { from, digest }: Said,
  limits: { readonly perMinute: number; readonly repeats: number },
  now: number,
): { readonly after: Talk; readonly broken: 'rate' | 'repeats' | null } {
  if (!before) return { after: { lastSender: from, exchanges: [], said: new Map() }, broken: null };
  if (before.lastSender === from) return { after: before, broken: null };
  const { perMinute } = limits;
  const isTooMuch = perMinute > 0 && waitFor(before.exchanges, perMinute, now) !== null;
  const exchanges = perMinute === 0 || isTooMuch ? before.exchanges : countIn(before.exchanges, now);
  const { said, count } = limits.repeats === 0 ? { said: before.said, count: 0 } : saidAfter(before.said, from, digest());
  const broken = isTooMuch ? 'rate' : limits.repeats > 0 && count > limits.repeats ? 'repeats' : null;
  return { after: { lastSender: from, exchanges, said }, broken };
}

function saidAfter(before: Talk['said'], from: string, digest: string): { said: Talk['said']; count: number } {
  const earlier = before.get(from);
  const count = earlier?.digest === digest ? earlier.count + 1 : 1;
  const said = new Map(before);
  said.delete(from);
  said.set(from, { digest, count });
  for (const oldest of said.keys()) {
    if (said.size <= REMEMBERED_SPEAKERS) break;
    said.delete(oldest);
  }
  return { said, count };
}
