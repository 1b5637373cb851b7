import { type Agent, listAll } from 'agent-relay-client';
import type { ListView } from '../live/view.ts';
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
