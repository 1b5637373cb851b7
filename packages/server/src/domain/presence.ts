import type { Agent, AgentStatus } from 'agent-relay-protocol';
import type { Change, NewEvent } from './change.ts';
import { isBuiltIn } from './membership.ts';

type Presence = Pick<Agent, 'id' | 'status' | 'lastSeenAt' | 'kind'>;

/** Whether an agent is in that state; `online` is whoever is there, idle and busy ones too. */
export const hasPresence = (actual: AgentStatus, asked: AgentStatus): boolean =>
  actual === asked || (asked === 'online' && actual !== 'offline');

/** A heartbeat brings an offline agent back; what else it says about itself stays unless it says something new. */
export const statusAfterHeartbeat = (current: AgentStatus, said: AgentStatus | undefined): AgentStatus =>
  said ?? (current === 'offline' ? 'online' : current);

/** Nobody has heard of it for longer than the stale time. Built-in addresses have no heartbeat and are never stale. */
export const isStale = (agent: Presence, now: number, staleTtlMs: number): boolean =>
  agent.status !== 'offline' && !isBuiltIn(agent.id) && agent.kind !== 'system' && now - agent.lastSeenAt > staleTtlMs;

/** The agent as it stands when it was last heard of then, if its card does not say later. */
export const heardOf = <Card extends Presence>(agent: Card, heardAt: number): Card =>
  heardAt > agent.lastSeenAt ? { ...agent, lastSeenAt: heardAt } : agent;

/**
 * An act of the agent says something that its card does not: it is heard of later by a good part of the stale time, or it is there again. One
 * that has gone offline just now still ends what it had begun, and is not back for that: only for what it begins, a claim.
 */
export const isWorthWriting = (agent: Presence, now: number, staleTtlMs: number): boolean => {
  if (isBuiltIn(agent.id) || agent.kind === 'system') return false;
  return now - agent.lastSeenAt > (agent.status === 'offline' ? staleTtlMs : staleTtlMs / 4);
};

export const isPrunable = (agent: Presence, now: number, offlinePruneMs: number): boolean =>
  agent.status === 'offline' && !isBuiltIn(agent.id) && agent.kind !== 'system' && now - agent.lastSeenAt > offlinePruneMs;

/** What is there now is written, and told when its status is another one. */
export function presenceChange(before: Agent, after: Agent, at: number): Change & Required<Pick<Change, 'events'>> {
  const events: readonly NewEvent[] = after.status === before.status ? [] : [{ type: 'agent.status', at, agent: after }];
  return { at, events, agents: [{ id: after.id, agent: after }] };
}
