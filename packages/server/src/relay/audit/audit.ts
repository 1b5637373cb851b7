import { DEFAULT_PAGE_SIZE, type Principal, principalName, RelayError, routeNames, routes } from 'agent-relay-protocol';
import { actOf, isAudited } from '../../domain/audited-act.ts';
import { isOwner } from '../../domain/scopes.ts';
import { listed } from '../contract/listed.ts';
import type { CallContext, HandlersOf, RelayHandlers } from '../contract/relay-contract.ts';
import type { RelayCore } from '../relay-core.ts';

type AuditDeps = Pick<RelayCore, 'store' | 'clock'> & { readonly tokenIdOf: (principal: Principal) => string | null };
type AnyHandler = (input: unknown, context: CallContext) => unknown;

/** The handlers, which remember who called them where that matters: in the commit of what the call changes. */
export function auditedHandlers(handlers: RelayHandlers, { store, clock, tokenIdOf }: AuditDeps): RelayHandlers {
  const audited = routeNames.map((name) => {
    const handler = handlers[name] as AnyHandler; // it is passed on what its own caller gave
    const call: AnyHandler = (input, context) => {
      const { principal } = context;
      if (!isAudited(name, routes[name], { input, isPerson: isOwner(principal) })) return handler(input, context);
      const act = { at: clock.now(), by: principalName(principal), tokenId: tokenIdOf(principal), action: name, ...actOf(input) };
      return store.audit.during(principal.workspace, act, () => handler(input, context));
    };
    return [name, call] as const;
  });
  return Object.fromEntries(audited) as unknown as RelayHandlers; // one entry for each route, with the signature of its handler
}

export function auditHandlers({ store }: Pick<RelayCore, 'store'>): HandlersOf<'audit'> {
  return {
    'audit/list': async ({ limit = DEFAULT_PAGE_SIZE, ...query }, { principal }) => {
      assertOwner(principal);
      return listed(await store.audit.list({ ...query, workspace: principal.workspace, limit }));
    },
    'audit/verify': (_input, { principal }) => {
      assertOwner(principal);
      return store.audit.verify(principal.workspace);
    },
  };
}

function assertOwner(principal: Principal): void {
  if (!isOwner(principal)) throw new RelayError('forbidden', 'The audit is for the owner');
}
