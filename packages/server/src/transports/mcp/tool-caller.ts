import { OWNER_AGENT_ID, RelayError } from 'agent-relay-protocol';
import { actsAsOwner } from '../../relay/access/access.ts';
import type { CallContext } from '../../relay/contract/relay-contract.ts';

/** The agent whose tools are used. `epoch` fences a session that a newer one has replaced; the owner has none. */
export interface ToolCaller {
  readonly agentId: string;
  readonly guard: { readonly epoch?: number };
  readonly isOwner: boolean;
  /** Two calls under one key are one: what the first one sent is not sent again. */
  readonly idempotencyKey?: string;
  readonly context: CallContext;
}

const MAX_KEY_LENGTH = 200;

/** @throws RelayError `unauthorized` without a token, `forbidden` for a node. */
export function callerOf(context: CallContext, key?: string): ToolCaller {
  const caller = identityOf(context);
  return key === undefined ? caller : { ...caller, idempotencyKey: parseKey(key) };
}

function parseKey(key: string): string {
  if (key.length >= 1 && key.length <= MAX_KEY_LENGTH) return key;
  const message = `It has 1 to ${MAX_KEY_LENGTH} characters`;
  throw new RelayError('validation_failed', `idempotency-key: ${message}`, { issues: [{ path: 'idempotency-key', message }] });
}

function identityOf(context: CallContext): ToolCaller {
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
    case 'share':
      throw new RelayError('forbidden', 'The tools are for agents: this is a link to a log');
    case 'node':
      throw new RelayError('forbidden', 'The tools are for agents: a node has none');
    case 'anonymous':
      throw new RelayError('unauthorized', "The tools need an agent's token: Authorization: Bearer <token>");
  }
}

/** What a send carries so that asking again is not sending again. */
export const keyOf = ({ idempotencyKey }: ToolCaller) => (idempotencyKey === undefined ? {} : { idempotencyKey });
