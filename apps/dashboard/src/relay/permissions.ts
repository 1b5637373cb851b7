import type { Principal, Scope } from 'agent-relay-protocol';

/** Whether it makes sense to offer an action; the relay has the last word. */
export function may(principal: Principal | undefined, scope: Scope): boolean {
  if (principal === undefined || principal.type === 'anonymous') return false;
  if (principal.type === 'owner') return true;
  if (!('scopes' in principal)) return scope !== '*' && scope !== 'system:write';
  if (!principal.scopes.includes('*')) return scope !== '*' && principal.scopes.includes(scope);
  return scope !== '*' || isWhole(principal);
}

/** Whether a caller stands for the owner: it may end anybody's task or pair. */
export const isOwner = (principal: Principal | undefined): boolean => may(principal, '*');

/** Whether a caller may take back what `from` offered, from whoever holds it: who offered it may, and the owner. */
export const mayTakeBack = (principal: Principal | undefined, from: string): boolean =>
  isOwner(principal) ||
  (may(principal, 'messages:write') && principal !== undefined && 'agentId' in principal && principal.agentId === from);

/** Whether a caller may decide what agents may not decide about each other: a person, with what the decision needs. */
export const mayDecide = (principal: Principal | undefined, scope: Scope): boolean =>
  (principal?.type === 'owner' || (principal?.type === 'token' && principal.agentId === null)) && may(principal, scope);

/** What agents ask is for people to see; an agent sees what it asked itself. */
export const maySeeApprovals = (principal: Principal | undefined): boolean =>
  principal?.type !== 'integration' && (may(principal, 'approvals:read') || (isOneAgent(principal) && may(principal, 'sessions:read')));

/** Whether a caller may answer what agents ask. A channel may too: of the tokens that act as an agent only its has the scope. */
export const mayAnswer = (principal: Principal | undefined): boolean =>
  (principal?.type === 'owner' || principal?.type === 'token') && may(principal, 'approvals:write');

/** Whether a caller may say who is meant in a channel's conversations: people and their programs may, and the channel itself. */
export function mayBind(principal: Principal | undefined, channelId: string): boolean {
  if (principal === undefined || !may(principal, 'agents:write')) return false;
  const agentId = 'agentId' in principal ? principal.agentId : null;
  return agentId === null ? principal.type !== 'node' : agentId === channelId;
}

const isOneAgent = (principal: Principal | undefined): boolean => principal?.type === 'token' && principal.agentId !== null;

/** A token with everything and nothing that narrows it. */
const isWhole = (principal: Extract<Principal, { scopes: unknown }>): boolean =>
  principal.targets === null && principal.channels === null && (principal.type !== 'token' || principal.agentId === null);

/** Who is signed in, for people. */
export function nameOfPrincipal(principal: Principal): string {
  switch (principal.type) {
    case 'owner':
      return 'owner';
    case 'token':
      return principal.agentId === null ? principal.name : `${principal.name} (${principal.agentId})`;
    case 'integration':
      return principal.name;
    case 'agent':
      return principal.agentId;
    case 'node':
      return principal.nodeId;
    case 'anonymous':
      return 'nobody';
  }
  const { type }: { readonly type: string } = principal satisfies never;
  return type;
}
