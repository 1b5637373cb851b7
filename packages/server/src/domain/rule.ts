import type { ChannelBinding, HeldClaim, Node, PendingApproval, Task } from 'agent-relay-protocol';
import type { AgentWrite, Change, TokenRecord } from './change.ts';
import type { AddressEntry } from './directory.ts';
import type { OfferedWork } from './facts.ts';
import type { RecordFacts } from './resource.ts';

/** What is looked up only where a change makes it matter; as it was before the change. */
export interface FollowFacts {
  /** The number of the log's next entry. */
  readonly nextId: number;
  readonly records: RecordFacts;
  agent(id: string): AddressEntry | undefined;
  heldBy(agentId: string): readonly HeldClaim[];
  bindingsOf(channelId: string): readonly ChannelBinding[];
  task(id: number): Task | null;
  /** What a session asked and nobody answered yet. */
  pendingOf(sessionId: string): readonly PendingApproval[];
  /** The work that a message offers. */
  workOn(messageId: number): OfferedWork | null;
  /** Whoever made them, and whatever for. */
  tokensOf(agentId: string): readonly TokenRecord[];
  node(nodeId: string): Node | null;
  /** A machine's own; those of the sessions that it runs are not among them. */
  tokensOfNode(nodeId: string): readonly TokenRecord[];
  /** An integration speaks for it. */
  isReserved(agentId: string): boolean;
}

/** Answers a change with what follows from it, or as it was. What the change has decided already is left alone. */
export type Rule = (facts: FollowFacts, change: Change) => Change;

/** An agent that is no longer there as who it was. */
export interface Leaving {
  readonly id: string;
  readonly cause: 'offline' | 'replaced' | 'removed';
  readonly reason: string;
}

export const leavingsOf = (facts: FollowFacts, { agents = [] }: Change): readonly Leaving[] =>
  agents.flatMap((write) => leavingOf(facts.agent(write.id), write) ?? []);

function leavingOf(before: AddressEntry | undefined, { id, agent, because }: AgentWrite): Leaving | null {
  if (agent === null) return { id, cause: 'removed', reason: because ?? `${id} was removed` };
  if (before !== undefined && agent.epoch > before.epoch && before.epoch > 0) {
    return { id, cause: 'replaced', reason: because ?? `A newer session of ${id} has taken over` };
  }
  return agent.status === 'offline' ? { id, cause: 'offline', reason: because ?? `${id} went offline` } : null;
}
