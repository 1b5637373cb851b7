import { type CallableRoute, callTable, type Principal, type RouteName, type Scope } from 'agent-relay-protocol';

type Granted = Extract<Principal, { readonly scopes: unknown }>;

/**
 * Whether it makes sense to offer what a route does: what the route table asks of a caller, and what the relay asks besides. The relay has the
 * last word. Before it is known who is signed in nothing is offered.
 */
export function mayCall(principal: Principal | undefined, name: RouteName): boolean {
  if (principal === undefined) return false;
  if (principal.type === 'owner') return true;
  const isFit = besides[name];
  return isLetIn(principal, callTable[name]) && (isFit === undefined || isFit(principal));
}

/** Whether a caller stands for the owner: it may end anybody's task or pair. */
export const isOwner = (principal: Principal | undefined): boolean => principal !== undefined && hasScope(principal, '*');

/** Whether a caller may take back what `from` offered, from whoever holds it: who offered it may, and the owner. */
export const mayTakeBack = (principal: Principal | undefined, from: string): boolean =>
  isOwner(principal) || (mayCall(principal, 'claims/release') && agentOf(principal) === from);

/** Whether a caller may give back what `holder` has reserved: the holder may, and the owner. */
export const mayGiveBack = (principal: Principal | undefined, holder: string): boolean =>
  isOwner(principal) || (mayCall(principal, 'reservations/release') && agentOf(principal) === holder);

/** Whether a caller may end a task that somebody else may hold: its source may, and the owner. */
export const mayEndTask = (principal: Principal | undefined, source: string): boolean =>
  isOwner(principal) || (mayCall(principal, 'tasks/status') && principal?.type === 'integration' && principal.name === source);

/** Whether a caller may say who is meant in a channel's conversations: people and their programs may, and the channel itself. */
export function mayBind(principal: Principal | undefined, channelId: string): boolean {
  if (!mayCall(principal, 'channels/bind')) return false;
  const agentId = agentOf(principal);
  return agentId === null || agentId === channelId;
}

/** The one agent that a caller speaks for. */
const agentOf = (principal: Principal | undefined): string | null =>
  principal?.type === 'agent' || principal?.type === 'token' ? principal.agentId : null;

/** Which token whoever is signed in came with: a token itself, else the session that a login link began. */
export const ownTokenId = (principal: Principal | undefined, sessionTokenId: string | null): string | null =>
  principal?.type === 'token' ? principal.tokenId : sessionTokenId;

/** No agent and no machine: somebody, or a program that somebody made a token for. */
const isProgram = (principal: Principal): boolean =>
  principal.type === 'integration' || (principal.type === 'token' && principal.agentId === null);

/** What agents may not decide about each other. */
const isPerson = (principal: Principal): boolean => principal.type === 'token' && principal.agentId === null;

/** What agents ask is for people to see; who has no scope for that sees what one agent asked: itself. */
const seesApprovals = (principal: Principal): boolean =>
  principal.type !== 'integration' && (agentOf(principal) !== null || principal.type === 'node' || hasScope(principal, 'approvals:read'));

/** Machines are everybody's: whoever is narrowed to some agents, or is one, tends none. */
const tendsMachines = (principal: Principal): boolean =>
  isGranted(principal) && principal.targets === null && principal.channels === null && agentOf(principal) === null;

/** What the relay asks of who is not the owner beyond the scope of the route, as far as it depends on the caller alone. */
const besides: Readonly<Partial<Record<RouteName, (principal: Principal) => boolean>>> = {
  'holds/release': isPerson,
  'holds/refuse': isPerson,
  'approvals/list': seesApprovals,
  'approvals/count': seesApprovals,
  'push/key': isPerson,
  'push/subscribe': isPerson,
  'push/list': isPerson,
  'push/unsubscribe': isPerson,
  'push/look': isPerson,
  'rules/list': (principal) => isPerson(principal) && hasScope(principal, 'approvals:read'),
  // A channel's token acts as an agent and answers for the people behind it; of such tokens only it has the scope.
  'approvals/resolve': ({ type }) => type === 'token',
  'rules/create': ({ type }) => type === 'token',
  'rules/revoke': ({ type }) => type === 'token',
  'nodes/pairings': tendsMachines,
  'nodes/pair': tendsMachines,
  'nodes/rename': tendsMachines,
  'nodes/remove': tendsMachines,
  'sessions/start': ({ type }) => type === 'token' || type === 'agent',
  'agents/interrupt': ({ type }) => type === 'token' || type === 'agent',
  'agents/release': ({ type }) => type === 'token' || type === 'agent',
  'channels/bind': ({ type }) => type === 'token' || type === 'integration' || type === 'agent',
  // What leaves the relay is not an agent's to see, however much else it may read.
  'callbacks/list': isProgram,
  'callbacks/count': isProgram,
  'callbacks/redeliver': isProgram,
};

/** What the route table says about who may call. */
function isLetIn(principal: Principal, { scope, alsoScopes = [], anonymous }: CallableRoute): boolean {
  if (principal.type === 'anonymous') return anonymous;
  return scope === null || hasScope(principal, scope) || (isGranted(principal) && principal.scopes.some((own) => alsoScopes.includes(own)));
}

function hasScope(principal: Principal, scope: Scope): boolean {
  if (principal.type === 'owner') return true;
  if (principal.type === 'anonymous') return false;
  if (!isGranted(principal)) return scope !== '*';
  if (!principal.scopes.includes('*')) return scope !== '*' && principal.scopes.includes(scope);
  return scope !== '*' || isWhole(principal);
}

const isGranted = (principal: Principal): principal is Granted => 'scopes' in principal;

/** A token with everything and nothing that narrows it. */
const isWhole = (principal: Granted): boolean =>
  principal.type === 'token' && principal.targets === null && principal.channels === null && principal.agentId === null;

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
    case 'share':
      return `whoever has the link to a log of ${principal.agentId}`;
    case 'anonymous':
      return 'nobody';
  }
  const { type }: { readonly type: string } = principal satisfies never;
  return type;
}
