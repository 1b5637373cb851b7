import { type Agent, OWNER_AGENT_ID, type Principal, type Relation } from 'agent-relay-protocol';
import { isOwner } from './scopes.ts';

export interface Provenance {
  readonly principal: Principal;
  readonly from: string;
  /** The sender's kind; null when nobody has registered it. */
  readonly kind: Agent['kind'] | null;
  /** Who spawned the one recipient; null for fan-out and for agents nobody spawned. */
  readonly recipientSpawnedBy: string | null;
}

/** How a sender stands to its recipient. Only what a token proves is more than `claimed`. */
export function relationOf({ principal, from, kind, recipientSpawnedBy }: Provenance): Relation {
  if (isOwner(principal)) return from === OWNER_AGENT_ID ? 'owner' : 'claimed';
  if (principal.type === 'anonymous' || (principal.type === 'token' && principal.agentId !== from)) return 'claimed';
  if (principal.type === 'integration') return from === principal.name ? 'integration' : 'claimed';
  if (kind === 'channel' || kind === 'integration') return kind;
  return recipientSpawnedBy === from ? 'lead' : 'peer';
}
