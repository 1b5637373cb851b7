import type { Agent } from 'agent-relay-protocol';
import { OWNER_AGENT_ID, RELAY_AGENT_ID } from 'agent-relay-protocol';

/** A stretch of the log, `[fromSeq, untilSeq)`, in which an agent belonged to an address; `untilSeq` null while it does. */
export interface Interval {
  readonly fromSeq: number;
  readonly untilSeq: number | null;
}

/** The address of those who follow every channel. No channel can be called so: it is never sent to, only belonged to. */
export const EVERY_CHANNEL = 'channel:*';

/** Built-in addresses take direct mail only: what is sent to everybody is for agents. */
export const isBuiltIn = (agentId: string): boolean => agentId === OWNER_AGENT_ID || agentId === RELAY_AGENT_ID;

type Grouped = Pick<Agent, 'id' | 'kind' | 'label' | 'tags' | 'capabilities' | 'channels' | 'machine'>;

/**
 * Every fan-out address an agent belongs to, in the spelling that messages carry. A channel to people outside belongs to what it names alone:
 * what agents say to everybody is for agents, and has no conversation to go to.
 */
export function addressesOf(agent: Grouped): ReadonlySet<string> {
  if (isBuiltIn(agent.id)) return new Set();
  const carriesConversations = agent.kind === 'channel';
  const addresses = new Set<string>(carriesConversations ? [] : ['broadcast']);
  if (agent.label !== null) addresses.add(`label:${agent.label}`);
  if (agent.machine !== null) addresses.add(`machine:${agent.machine}`);
  for (const tag of agent.tags) addresses.add(`tag:${tag}`);
  for (const capability of agent.capabilities) addresses.add(`cap:${capability}`);
  if (agent.channels === null && !carriesConversations) addresses.add(EVERY_CHANNEL);
  for (const channel of agent.channels ?? []) addresses.add(`channel:${channel}`);
  return addresses;
}

export const containsSequence = (intervals: readonly Interval[] | undefined, seq: number): boolean =>
  intervals?.some((interval) => interval.fromSeq <= seq && (interval.untilSeq === null || seq < interval.untilSeq)) ?? false;

/** What a change of an agent opens and ends; an address it keeps keeps its interval. */
export function changedMemberships(
  before: Iterable<string>,
  after: ReadonlySet<string>,
): { readonly opened: readonly string[]; readonly ended: readonly string[] } {
  const known = new Set(before);
  return { opened: [...after].filter((address) => !known.has(address)), ended: [...known].filter((address) => !after.has(address)) };
}
