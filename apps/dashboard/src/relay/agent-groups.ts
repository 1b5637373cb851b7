import type { Agent } from 'agent-relay-client';

export interface AgentGroup {
  readonly name: string;
  readonly count: number;
}

export interface GroupedAgents<Item> {
  readonly agents: readonly Item[];
  /** Of each agent that is the first of its group. */
  readonly groupFrom: ReadonlyMap<string, AgentGroup>;
}

/** Agents of one group behind each other; within it, and where no order is given among the groups as well, they stay in the order they come in. */
export function groupAgents<Item extends Pick<Agent, 'id'>>(
  agents: readonly Item[],
  groupOf: (agent: Item) => string,
  order: (one: string, other: string) => number = asTheyCome,
): GroupedAgents<Item> {
  const groups = [...Map.groupBy(agents, groupOf)].sort(([one], [other]) => order(one, other));
  const groupFrom = new Map(groups.map(([name, members]) => [members[0]?.id ?? '', { name, count: members.length }]));
  return { agents: groups.flatMap(([, members]) => members), groupFrom };
}

const asTheyCome = (): number => 0;
