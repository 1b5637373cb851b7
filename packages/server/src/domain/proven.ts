import type { Agent } from 'agent-relay-protocol';
import type { AddressEntry } from './directory.ts';

/**
 * Up to which mail an address's reader has proved who it is, once `agent` stands there from `seq` on. Beyond a token's session as well: until a program
 * without one begins a session of its own, nobody has shown who the mail is for.
 */
export function provenThroughWith(entry: Pick<AddressEntry, 'epoch' | 'provenThrough'>, agent: Agent | null, seq: number): number {
  if (agent?.protected) return Number.MAX_SAFE_INTEGER;
  const isTakenAnew = agent !== null && agent.epoch > entry.epoch;
  return isTakenAnew ? Math.min(entry.provenThrough, seq) : entry.provenThrough;
}
