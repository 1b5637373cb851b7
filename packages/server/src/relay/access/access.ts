import { type Principal, RelayError, type Route, routeNames, routes } from 'agent-relay-protocol';
import { assertScope, grantOf, isOwner } from '../../domain/scopes.ts';
import type { CallContext, NodeHandlers, RelayHandlers } from '../contract/relay-contract.ts';

/** What the route table says about who may call. */
export type Access = Pick<Route, 'anonymous' | 'scope' | 'alsoScopes' | 'shared'>;

/** @throws RelayError `unauthorized` for a tokenless caller, `forbidden_scope` for a token that is not enough. */
export function assertAccess({ anonymous, scope, alsoScopes = [], shared = false }: Access, principal: Principal): void {
  if (principal.type === 'owner') return;
  if (principal.type === 'share') {
    // Also where nothing is asked of anybody: a link is no way into the rest of the relay.
    if (shared) return;
    throw onlyItsLog();
  }
  if (grantOf(principal)?.scopes.some((granted) => alsoScopes.includes(granted))) return;
  if (principal.type !== 'anonymous') {
    if (scope !== null) assertScope(principal, scope);
  } else if (!anonymous) throw new RelayError('unauthorized', 'This needs a token: without one a program may register, message and read');
}

const onlyItsLog = (): RelayError => new RelayError('forbidden', "This link shows one session's log and opens nothing else");

/** Whether a caller has all that the owner has. */
export const actsAsOwner = (principal: Principal): boolean => isOwner(principal);

/**
 * Whether a caller is a machine, or whoever may lend one out.
 * @throws RelayError `forbidden`.
 */
export function assertNode(principal: Principal): void {
  if (principal.type === 'node' || principal.type === 'owner') return;
  throw new RelayError('forbidden', 'This is for nodes: it needs a node token, or the owner’s');
}

/** The handlers with their routes' access checked, so that no transport can forget it. */
export function guardedHandlers(handlers: RelayHandlers): RelayHandlers {
  const guarded = routeNames.map((name) => {
    const handler = handlers[name] as (input: unknown, context: CallContext) => unknown; // it is passed on what its own caller gave
    const call = (input: unknown, context: CallContext) => {
      assertAccess(routes[name], context.principal);
      return handler(input, context);
    };
    return [name, call] as const;
  });
  return Object.fromEntries(guarded) as unknown as RelayHandlers; // one entry for each route, with the signature of its handler
}

/** What machines call, likewise. */
export function guardedNodeHandlers(handlers: NodeHandlers): NodeHandlers {
  const names = Object.keys(handlers) as (keyof NodeHandlers)[]; // an object literal of exactly these keys
  const guarded = names.map((name) => {
    const handler = handlers[name] as (params: unknown, context: CallContext) => Promise<unknown>; // it is passed on what its own caller gave
    const call = async (params: unknown, context: CallContext) => {
      assertNode(context.principal);
      return handler(params, context);
    };
    return [name, call] as const;
  });
  return Object.fromEntries(guarded) as unknown as NodeHandlers; // one entry for each method, with the signature of its handler
}
