import type { Agent, AgentStatus } from 'agent-relay-protocol';
import { isBuiltIn } from './membership.ts';

type Presence = Pick<Agent, 'id' | 'status' | 'lastSeenAt' | 'kind'>;

/** A heartbeat brings an offline agent back; what else it says about itself stays unless it says something new. */
export const statusAfterHeartbeat = (current: AgentStatus, said: AgentStatus | undefined): AgentStatus =>
  said ?? (current === 'offline' ? 'online' : current);

/** Nobody has heard of it for longer than the stale time. Built-in addresses have no heartbeat and are never stale. */
export const isStale = (agent: Presence, now: number, staleTtlMs: number): boolean =>
  agent.status !== 'offline' && !isBuiltIn(agent.id) && agent.kind !== 'system' && now - agent.lastSeenAt > staleTtlMs;

export const isPrunable = (agent: Presence, now: number, offlinePruneMs: number): boolean =>
  agent.status === 'offline' && !isBuiltIn(agent.id) && agent.kind !== 'system' && now - agent.lastSeenAt > offlinePruneMs;
