import { type Agent, type Approval, listAll, type Node, type RelayEvent } from 'agent-relay-client';
import type { ListView } from '../live/view.ts';
import { isPendingApproval } from './approvals.ts';
import { upsert } from './collect.ts';

export const agentsView: ListView<Agent> = {
  name: 'agents',
  route: 'agents/list',
  read: (relay) => listAll(relay.agents.list, {}),
  apply: (agents, event) => {
    if ('agent' in event) return upsert(agents, event.agent, ({ id }) => id);
    if (event.type === 'agent.stalled') return agents.map((agent) => (agent.id === event.agentId ? stalledBy(agent, event) : agent));
    if (event.type === 'agent.recovered') return agents.map((agent) => (agent.id === event.agentId ? going(agent) : agent));
    return event.type === 'agent.removed' ? agents.filter(({ id }) => id !== event.agentId) : agents;
  },
};

const stalledBy = (
  agent: Agent,
  { oldestAt: since, cause = 'mail', detail = '' }: Extract<RelayEvent, { type: 'agent.stalled' }>,
): Agent => ({
  ...agent,
  stalled: { cause, since, detail },
});

const going = ({ stalled: _over, ...agent }: Agent): Agent => agent;

/** How an agent is: as it says, `waiting` where it has asked something that nobody has answered, or `stalled` where it does not go on. */
export type ShownPresence = Agent['status'] | 'waiting' | 'stalled';

export function presenceIn(approvals: readonly Approval[]): (agent: Pick<Agent, 'id' | 'status' | 'stalled'>) => ShownPresence {
  const waiting = new Set(approvals.filter(isPendingApproval).map(({ agentId }) => agentId));
  return ({ id, status, stalled }) => {
    if (waiting.has(id)) return 'waiting';
    return stalled === undefined ? status : 'stalled';
  };
}

/** What the machine is called on which an agent runs, or ran last; null for one that said none. */
export const machineOf = ({ machine, nodeId }: Pick<Agent, 'machine' | 'nodeId'>, nodes: readonly Node[]): string | null =>
  nodes.find((node) => node.nodeId === nodeId)?.name ?? machine;

/** Whether it is more than the relay itself. */
export const isShownAgent = ({ kind }: Pick<Agent, 'kind'>): boolean => kind !== 'system';

/** Whether it is somebody who works here: neither the relay itself nor a person. */
export const isWorker = ({ kind }: Pick<Agent, 'kind'>): boolean => kind !== 'system' && kind !== 'user';
