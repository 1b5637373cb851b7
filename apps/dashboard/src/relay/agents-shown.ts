export const groupings = ['state', 'machine'] as const;
export type Grouping = (typeof groupings)[number];

/** How the list of agents is shown, as the address of a page has it. */
export interface AgentsShown {
  /** Words that narrow it. */
  readonly agents?: string;
  /** What it is grouped by. */
  readonly by?: Grouping;
}

/** Reads what somebody may have typed into the address. */
export function readAgentsShown({ agents, by }: Readonly<Record<string, unknown>>): AgentsShown {
  const words = typeof agents === 'number' ? String(agents) : agents; // a number in an address is read as one
  const grouping = groupings.find((one) => one === by);
  return { ...(typeof words === 'string' && words !== '' ? { agents: words } : {}), ...(grouping === undefined ? {} : { by: grouping }) };
}
