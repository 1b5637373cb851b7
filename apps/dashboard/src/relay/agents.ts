import { type Agent, type Approval, listAll, type Node } from 'agent-relay-client';
import type { ListView } from '../live/view.ts';
import { isPendingApproval } from './approvals.ts';
import { upsert } from './collect.ts';

export const agentsView: ListView<Agent> = {
  name: 'agents',
  route: 'agents/list',
  read: (relay) => listAll(relay.agents.list, {}),
  apply: (agents, event) => {
    if ('agent' in event) return upsert(agents, event.agent, ({ id }) => id);
    return event.type === 'agent.removed' ? agents.filter(({ id }) => id !== event.agentId) : agents;
  },
};

/** How agents are: as they say, or `waiting` where one has asked something that nobody has answered. */
export function presenceIn(approvals: readonly Approval[]): (agent: Pick<Agent, 'id' | 'status'>) => Agent['status'] | 'waiting' {
  const waiting = new Set(approvals.filter(isPendingApproval).map(({ agentId }) => agentId));
  return ({ id, status }) => (waiting.has(id) ? 'waiting' : status);
}

/** What the machine is called on which an agent runs, or ran last; null for one that said none. */
export const machineOf = ({ machine, nodeId }: Pick<Agent, 'machine' | 'nodeId'>, nodes: readonly Node[]): string | null =>
  nodes.find((node) => node.nodeId === nodeId)?.name ?? machine;

/** Whether it is more than the relay itself. */
export const isShownAgent = ({ kind }: Pick<Agent, 'kind'>): boolean => kind !== 'system';

/** Whether it is somebody who works here: neither the relay itself nor a person. */
export const isWorker = ({ kind }: Pick<Agent, 'kind'>): boolean => kind !== 'system' && kind !== 'user';
