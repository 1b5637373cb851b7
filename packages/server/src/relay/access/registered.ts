import type { Agent } from 'agent-relay-protocol';
import { unknownAgent } from '../../domain/unknown-agent.ts';
import type { AgentIndex } from '../../store/agent-index.ts';

/** Whom a caller named, and where. */
export interface Named {
  readonly workspace: string;
  readonly agentId: string;
}

/** The agent that was named. @throws RelayError `not_found` with the id that was most likely meant, where there is one like it. */
export function registered(index: AgentIndex, { workspace, agentId }: Named, said?: string): Agent {
  const agent = index.find(workspace, agentId)?.agent;
  if (!agent) throw unknownAgent(agentId, index.agents(workspace), said);
  return agent;
}

/**
 * What was asked about an agent has no answer: because there is nothing, or because nobody has this id. What is kept of a removed agent is
 * still shown, so this is asked only where nothing was found. @throws RelayError `not_found`.
 */
export function assertNothingOf(index: AgentIndex, named: Named, found: { readonly length: number }): void {
  if (found.length === 0) registered(index, named);
}
