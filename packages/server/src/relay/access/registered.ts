import type { Agent } from 'agent-relay-protocol';
import type { Directory } from '../../domain/directory.ts';
import { unknownAgent } from '../../domain/unknown-agent.ts';

/** The agent that was named. @throws RelayError `not_found` with the id that was most likely meant, where there is one like it. */
export function registered(agents: Directory, agentId: string, said?: string): Agent {
  const agent = agents.find(agentId)?.agent;
  if (!agent) throw unknownAgent(agentId, agents.agents(), said);
  return agent;
}

/**
 * What was asked about an agent has no answer: because there is nothing, or because nobody has this id. What is kept of a removed agent is
 * still shown, so this is asked only where nothing was found. @throws RelayError `not_found`.
 */
export function assertNothingOf(agents: Directory, agentId: string, found: { readonly length: number }): void {
  if (found.length === 0) registered(agents, agentId);
}
