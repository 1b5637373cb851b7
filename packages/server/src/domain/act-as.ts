import type { Agent, Principal, SessionGuard } from 'agent-relay-protocol';
import { assertCurrentSession, assertMayActAs } from './acting.ts';
import type { AddressEntry, Directory } from './directory.ts';
import { agentOf, isOwner } from './scopes.ts';
import type { Watched } from './spawn-rules.ts';

/**
 * The agent as whom, or on whose things, the caller acts; null when nobody has registered it. Whatever a route does in somebody's name asks
 * here first: who holds a token, registered or not, is spoken for by that token, its machine and the owner.
 * @throws RelayError `forbidden`, `forbidden_target`, `stale_session`.
 */
export function actAs(agents: Directory, principal: Principal, id: string, guard: SessionGuard = {}): Agent | null {
  const agent = agents.find(id)?.agent ?? null;
  assertMayActAs(principal, id, { agent, isBound: agents.isBound(id) });
  assertCurrentSession(id, agent, guard);
  return agent;
}

/**
 * Whether what this name did at the number `seq` is the caller's, whom `actAs` lets act as it: who took the name of a session that had a token
 * answers for nothing of that session.
 */
export function isOwnAt(agents: Directory, principal: Principal, id: string, seq: number): boolean {
  if (isOwner(principal) || principal.type === 'node' || agentOf(principal) === id) return true;
  if (principal.type === 'integration' && principal.name === id) return true;
  return seq > (agents.find(id)?.provenThrough ?? 0);
}

/** An address as `mayWatch` asks for it. */
export const watchedOf = ({ agentId, spawnedBy, agent }: AddressEntry): Watched => ({ agentId, spawnedBy, nodeId: agent?.nodeId ?? null });

/** As `watchedOf`, of an id that may be unknown. */
export function watchedIn(agents: Directory, agentId: string): Watched {
  const entry = agents.find(agentId);
  return entry ? watchedOf(entry) : { agentId, spawnedBy: null, nodeId: null };
}
