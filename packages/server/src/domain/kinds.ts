import { type Agent, type AgentKind, type Principal, RelayError } from 'agent-relay-protocol';
import { isOwner } from './scopes.ts';

/** Kinds that say more of an agent than that it is one: what they write is stamped with them, and the loop guard leaves two of them alone. */
const grantedKinds: ReadonlySet<AgentKind> = new Set(['channel', 'integration', 'user']);

/**
 * Whether a caller may make an agent of this kind. What it is already, it may say again.
 * @throws RelayError `forbidden` at `kind`.
 */
export function assertMayBeOfKind(
  principal: Principal,
  { id, kind }: { readonly id: string; readonly kind?: AgentKind | undefined },
  current: Pick<Agent, 'kind'> | null,
): void {
  if (kind === undefined || kind === current?.kind || !grantedKinds.has(kind) || isOwner(principal)) return;
  if (kind === 'channel' && principal.type === 'token' && principal.kind === 'channel' && principal.agentId === id) return;
  if (kind === 'integration' && principal.type === 'integration' && principal.name === id) return;
  const way = kind === 'channel' ? `, or a token made for it: agent-relay token create ${id} --kind channel --agent ${id}` : '';
  const message = `Only the owner makes an agent of kind ${kind}${way}`;
  throw new RelayError('forbidden', `kind: ${message}`, { issues: [{ path: 'kind', message }] });
}
