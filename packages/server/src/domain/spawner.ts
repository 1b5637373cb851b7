import { type Principal, RelayError } from 'agent-relay-protocol';
import { actAs } from './act-as.ts';
import type { BeginningFacts } from './facts.ts';
import { isOwner } from './scopes.ts';
import type { Spawner } from './spawn-rules.ts';
import { unknownAgent } from './unknown-agent.ts';

/**
 * The agent in whose name somebody asks for another one: its own, for a node one that it hosts, for a program one that nobody else speaks for.
 * @throws RelayError `not_found`, `forbidden`, `forbidden_target`, `stale_session`.
 */
export function spawnerOf(
  { agents, unfinishedOf }: Pick<BeginningFacts, 'agents' | 'unfinishedOf'>,
  principal: Principal,
  agentId: string,
): Spawner {
  if (principal.type !== 'node' && !isOwner(principal)) actAs(agents, principal, agentId);
  const agent = agents.find(agentId)?.agent;
  if (!agent) throw unknownAgent(agentId, agents.agents());
  if (principal.type === 'node' && agent.nodeId !== principal.nodeId)
    throw new RelayError('forbidden', `${agentId} does not run on this node`);
  return { session: unfinishedOf(agentId), approval: agent.approval };
}
