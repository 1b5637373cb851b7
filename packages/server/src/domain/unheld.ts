import { type Agent, type Node, patternsOverlap, type Reservation, type Session } from 'agent-relay-protocol';
import { isBuiltIn } from './membership.ts';

/** An agent that is there, and its session, where a machine runs it. */
export interface Worker {
  readonly agent: Agent;
  readonly session: Session | null;
}

/**
 * Whether an agent works among reserved files and nothing is known to keep it from them: what it runs on does not ask before each change. Of a program
 * that no machine runs its card says whether it does.
 */
export function isUnheld({ agent, session }: Worker, reservation: Reservation, nodes: readonly Node[]): boolean {
  const { id, kind, status } = agent;
  if (id === reservation.agentId || isBuiltIn(id) || kind !== 'provider' || status === 'offline') return false;
  if (session?.mode === 'safe') return false;
  const cwd = session === null ? agent.meta['cwd'] : session.cwd;
  if (typeof cwd !== 'string' || !patternsOverlap(reservation, { folder: cwd, patterns: ['**'] })) return false;
  if (session === null || session.target === 'background') return agent.meta['reserves'] !== true;
  return !asksBeforeChanges(session, nodes);
}

function asksBeforeChanges({ nodeId, provider }: Session, nodes: readonly Node[]): boolean {
  const offered = nodes.find((node) => node.nodeId === nodeId)?.providers.find(({ id }) => id === provider);
  return offered?.abilities?.reserves === true;
}
