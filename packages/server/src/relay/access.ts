import { type Principal, RelayError, type Route } from 'agent-relay-protocol';
import { assertScope, grantOf, isOwner } from '../domain/scopes.ts';

/** What the route table says about who may call. */
export type Access = Pick<Route, 'anonymous' | 'scope' | 'alsoScopes'>;

/** @throws RelayError `unauthorized` for a tokenless caller, `forbidden_scope` for a token that is not enough. */
export function assertAccess({ anonymous, scope, alsoScopes = [] }: Access, principal: Principal): void {
  if (principal.type === 'owner') return;
  if (grantOf(principal)?.scopes.some((granted) => alsoScopes.includes(granted))) return;
  if (principal.type !== 'anonymous') assertScope(principal, scope);
  else if (!anonymous) throw new RelayError('unauthorized', 'This needs a token: without one a program may register, message and read');
}

/** Whether a caller has all that the owner has. */
export const actsAsOwner = (principal: Principal): boolean => isOwner(principal);
