import { OWNER_AGENT_ID, RelayError } from 'agent-relay-protocol';
import { actsAsOwner } from '../../relay/access/access.ts';
import type { CallContext } from '../../relay/contract/relay-contract.ts';

/** The agent whose tools are used. `epoch` fences a session that a newer one has replaced; the owner has none. */
export interface ToolCaller {
  readonly agentId: string;
  readonly guard: { readonly epoch?: number };
  readonly isOwner: boolean;
  readonly context: CallContext;
}

/** @throws RelayError `unauthorized` without a token, `forbidden` for a node. */
export function callerOf(context: CallContext): ToolCaller {
  const { principal } = context;
  switch (principal.type) {
    case 'agent':
      return { agentId: principal.agentId, guard: { epoch: principal.epoch }, isOwner: false, context };
    case 'owner':
      return { agentId: OWNER_AGENT_ID, guard: {}, isOwner: true, context };
    case 'token':
      if (principal.agentId !== null) return { agentId: principal.agentId, guard: {}, isOwner: false, context };
      if (actsAsOwner(principal)) return { agentId: OWNER_AGENT_ID, guard: {}, isOwner: true, context };
      throw new RelayError('forbidden', 'The tools are for agents: this token speaks for none');
    case 'integration':
      throw new RelayError('forbidden', 'The tools are for agents: an integration reports events');
    case 'node':
      throw new RelayError('forbidden', 'The tools are for agents: a node has none');
    case 'anonymous':
      throw new RelayError('unauthorized', "The tools need an agent's token: Authorization: Bearer <token>");
  }
}
