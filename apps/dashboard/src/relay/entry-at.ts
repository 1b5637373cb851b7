import type { RelayClient } from 'agent-relay-client';
import type { WhoseActivity } from './activity-reader.ts';

/** The first entry of what an agent did at a time or after it, its last where all was before; null where it did nothing. @throws RelayError */
export async function entryAt(relay: RelayClient, which: WhoseActivity, at: number): Promise<number | null> {
  const one = async (where: { readonly after?: number; readonly newest?: true }) =>
    (await relay.agents.activity({ ...which, ...where, limit: 1 })).data[0];
  const [first, last] = [await one({}), await one({ newest: true })];
  if (first === undefined || last === undefined) return null;
  let [low, high] = [first.id, last.id];
  // Numbers grow as entries are stored, but belong to all agents: the next one of this agent says when that was.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const next = (await one({ after: middle - 1 })) ?? last;
    if (next.at < at) low = Math.min(next.id + 1, last.id);
    else high = middle;
  }
  return ((await one({ after: low - 1 })) ?? last).id;
}
