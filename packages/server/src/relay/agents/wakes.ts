import { type Agent, MAX_PAGE_SIZE } from 'agent-relay-protocol';
import { WAKING, type Wake, wakeOf, wakeResource } from '../../domain/wake.ts';
import type { RecordStore } from '../../store/record-store.ts';

type Records = Pick<RecordStore, 'list'>;

/** Those that mail wakes, the newest first. */
export async function* wakesIn(records: Records, workspace: string): AsyncGenerator<Wake> {
  for (let before: number | undefined, isFirst = true; isFirst || before !== undefined; isFirst = false) {
    const { items } = await records.list(wakeResource, { workspace, under: WAKING, before, limit: MAX_PAGE_SIZE });
    yield* items;
    before = items.length < MAX_PAGE_SIZE ? undefined : items.at(-1)?.id;
  }
}

/** The card of one agent, with how mail wakes it. */
export async function withItsWake(records: Records, workspace: string, agent: Agent): Promise<Agent> {
  const { items } = await records.list(wakeResource, { workspace, under: wakeOf(agent.id), limit: 1 });
  return withWakeOf(agent, items[0]?.wake);
}

/** Cards of many, each with how mail wakes it. */
export async function withTheirWakes(records: Records, workspace: string, agents: readonly Agent[]): Promise<Agent[]> {
  const wakes = new Map<string, Wake['wake']>();
  for await (const { agentId, wake } of wakesIn(records, workspace)) wakes.set(agentId, wake);
  return agents.map((agent) => withWakeOf(agent, wakes.get(agent.id)));
}

const withWakeOf = (agent: Agent, wake: Wake['wake'] = 'never'): Agent => (wake === 'never' ? agent : { ...agent, wake });
