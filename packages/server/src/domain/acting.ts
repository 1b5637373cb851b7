import { OWNER_AGENT_ID, type Principal, RelayError, type SessionGuard } from 'agent-relay-protocol';
import { isBuiltIn } from './membership.ts';
import { assertMayActUpon, isOwner } from './scopes.ts';

/** What is known of the agent somebody wants to act as; null when nobody has registered it. */
export type Actor = {
  readonly epoch: number;
  readonly instanceId: string | null;
  readonly protected: boolean;
  readonly nodeId: string | null;
} | null;

/**
 * Whose name a caller acts under: an agent's token forces its own, the owner is `owner` unless it names another, everybody else must name one.
 * @throws RelayError `forbidden` when an agent names another, `validation_failed` (at `field`) when nobody is named.
 */
export function actingId(principal: Principal, named: string | undefined, field: string): string {
  if (isOwner(principal)) return named ?? OWNER_AGENT_ID;
  switch (principal.type) {
    case 'agent':
    case 'token':
      if (principal.agentId === null) break;
      if (named !== undefined && named !== principal.agentId) {
        throw new RelayError('forbidden', `This token speaks for ${principal.agentId} only, not for ${named}`);
      }
      return principal.agentId;
    case 'integration':
      return named ?? principal.name;
    case 'owner':
    case 'node':
    case 'anonymous':
      break;
  }
  if (named !== undefined) return named;
  throw new RelayError('validation_failed', `${field}: Say which agent acts`, {
    issues: [{ path: field, message: 'Say which agent acts' }],
  });
}

/** Whom somebody wants to act as, or on whose things. */
export interface Acted {
  /** Null when nobody has registered it. */
  readonly agent: Actor;
  /** A token speaks for it in every epoch. */
  readonly isBound: boolean;
}

/**
 * @throws RelayError `stale_session` when an agent's own token is of an older epoch, `forbidden` when the agent holds a token and the caller has
 * neither it nor the owner's nor its node's, or when the name is one of the relay's own, `forbidden_target` when the caller is narrowed to others.
 */
export function assertMayActAs(principal: Principal, id: string, { agent, isBound }: Acted): void {
  if (isOwner(principal)) {
    if (id !== OWNER_AGENT_ID && isBuiltIn(id)) throw new RelayError('forbidden', 'Nobody speaks as the relay but the relay');
    return;
  }
  switch (principal.type) {
    case 'agent':
      if (principal.agentId !== id) throw speaksForAnother(principal.agentId, id);
      if (agent?.epoch !== principal.epoch) throw new RelayError('stale_session', `A newer session of ${id} has taken over`);
      return;
    case 'node':
      if (!agent || agent.nodeId !== principal.nodeId) throw new RelayError('forbidden', `${id} does not run on this node`);
      return;
    case 'token':
      if (principal.agentId === id) return;
      if (principal.agentId !== null) throw speaksForAnother(principal.agentId, id);
      break;
    case 'integration':
      if (principal.name === id) return;
      break;
    case 'owner':
    case 'anonymous':
  }
  assertUnproven(id, { agent, isBound });
  // A name that nobody has is nobody's to be protected: whoever is narrowed may sign with one.
  if (agent) assertMayActUpon(principal, id);
}

/** As `assertMayActAs`, for making an address or its next session: whoever is narrowed makes none but those that it may act upon. */
export function assertMayRegister(principal: Principal, id: string, found: Acted): void {
  assertMayActAs(principal, id, found);
  assertMayActUpon(principal, id);
}

/**
 * Whether a person speaks: the owner, or somebody with a token that is bound to no agent. What agents may not decide about themselves and
 * each other needs one. @throws RelayError `forbidden`.
 */
export function assertPerson(principal: Principal, deed: string): void {
  if (principal.type === 'owner' || (principal.type === 'token' && principal.agentId === null)) return;
  throw new RelayError('forbidden', `Only a person may ${deed}: the owner, or a token that is not an agent's`);
}

/** What anybody may say of itself, because nothing proves the contrary. */
function assertUnproven(id: string, { agent, isBound }: Acted): void {
  if (isBuiltIn(id)) throw new RelayError('forbidden', `Only the owner speaks as ${id}`);
  if (isBound || agent?.protected)
    throw new RelayError('forbidden', `${id} holds a token: only that token, its node or the owner may act as it`);
}

const speaksForAnother = (own: string, id: string): RelayError =>
  new RelayError('forbidden', `This token speaks for ${own} only, not for ${id}`);

/** @throws RelayError `stale_session` when the guard names another incarnation than the current one. */
export function assertCurrentSession(id: string, actor: Actor, guard: SessionGuard): void {
  const wrongEpoch = guard.epoch !== undefined && guard.epoch !== (actor?.epoch ?? 0);
  const wrongInstance = guard.instanceId !== undefined && guard.instanceId !== (actor?.instanceId ?? null);
  if (wrongEpoch || wrongInstance) {
    throw new RelayError('stale_session', `A newer session of ${id} has taken over`, { details: { epoch: actor?.epoch ?? 0 } });
  }
}
