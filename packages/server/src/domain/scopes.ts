import { type Claim, formatAddress, type Principal, parseAddress, RelayError, type Scope } from 'agent-relay-protocol';

/** What narrows a caller; `null` fields narrow nothing. Every principal that carries these fields is held to them. */
export interface Grant {
  readonly scopes: readonly Scope[];
  readonly targets: readonly string[] | null;
  readonly channels: readonly string[] | null;
}

/** The grant a principal carries; `null` for those whose type alone says what they may. */
export function grantOf(principal: Principal): Grant | null {
  return 'scopes' in principal ? principal : null;
}

/** The owner, and a token that was given everything: whatever is the owner's to do, both may. */
export function isOwner(principal: Principal): boolean {
  if (principal.type === 'owner') return true;
  if (principal.type !== 'token') return false;
  const { scopes, targets, channels, agentId } = principal;
  return agentId === null && targets === null && channels === null && scopes.includes('*');
}

/** The one agent that a caller speaks for; `null` for everybody who speaks for none, or for several. */
export function agentOf(principal: Principal): string | null {
  return principal.type === 'agent' || principal.type === 'token' ? principal.agentId : null;
}

/** Scopes that a session of an agent, or a node, never has. */
const ownersScopes: ReadonlySet<Scope> = new Set(['*', 'nodes:write']);

/**
 * Whether a caller with a token may use what needs `scope`.
 * @throws RelayError `forbidden_scope` naming the missing scope; `forbidden` for a link to a log, which has none.
 */
export function assertScope(principal: Principal, scope: Scope): void {
  const grant = grantOf(principal);
  if (grant) {
    if (grant.scopes.includes('*') && (scope !== '*' || isOwner(principal))) return;
    if (scope !== '*' && grant.scopes.includes(scope)) return;
    throw new RelayError('forbidden_scope', `This token lacks the scope ${scope}`, { details: { scope } });
  }
  if (principal.type === 'share') throw new RelayError('forbidden', "This link shows one session's log and opens nothing else");
  if (principal.type === 'owner' || !ownersScopes.has(scope)) return;
  throw new RelayError('forbidden_scope', `Only the owner may do this: it needs the scope ${scope}`, { details: { scope } });
}

/**
 * Whether a caller may let machines in and take them out, given the scope: that concerns every agent, so nobody may who speaks for one or is narrowed.
 * @throws RelayError `forbidden`.
 */
export function assertMayTendNodes(principal: Principal): void {
  const { targets = null, channels = null } = grantOf(principal) ?? {};
  if (targets === null && channels === null && agentOf(principal) === null) return;
  throw new RelayError('forbidden', 'Machines are everybody’s: a token that is narrowed to some agents neither pairs nor removes one');
}

/** Where something is to go: an address in its one spelling (`id:Worker`, `tag:ops`, `broadcast`), and the channel it is said in. */
export interface Destination {
  readonly to: string;
  readonly channel?: string | null;
}

/**
 * Whether a caller may address this. A message to a channel is held to the channels alone when those are narrowed.
 * @throws RelayError `forbidden_target` naming the address.
 */
export function assertMayAddress(principal: Principal, { to, channel = null }: Destination): void {
  const grant = grantOf(principal);
  if (!grant) return;
  const { channels } = grant;
  if (channels && channel !== null && !channels.includes(channel)) {
    throw new RelayError('forbidden_target', `This token may not send in the channel ${channel}`, { details: { channel } });
  }
  const isAllowedChannel = channels !== null && channel !== null && to === `channel:${channel}`;
  if (isAllowedChannel || isTarget(grant, to)) return;
  throw new RelayError('forbidden_target', `This token may not address ${to}`, { details: { target: to } });
}

/**
 * Whether a caller may do something to an agent, its mail or its work: whoever is narrowed to targets only where they name it, and to itself.
 */
export function mayActUpon(principal: Principal, agentId: string): boolean {
  if (principal.type === 'share') return false;
  const targets = grantOf(principal)?.targets ?? null;
  const own = principal.type === 'integration' ? principal.name : agentOf(principal);
  return targets === null || own === agentId || targets.some((target) => spellingOf(target) === `id:${agentId}`);
}

/** @throws RelayError `forbidden_target` naming the address. */
export function assertMayActUpon(principal: Principal, agentId: string): void {
  if (mayActUpon(principal, agentId)) return;
  throw new RelayError('forbidden_target', `This token may not act upon ${agentId}`, { details: { target: `id:${agentId}` } });
}

/** Whether a caller was given a scope by name, or with everything; false for those whose type alone says what they may. */
export const wasGiven = (principal: Principal, scope: Scope): boolean =>
  grantOf(principal)?.scopes.some((granted) => granted === scope || granted === '*') ?? false;

/**
 * Whether a caller may read, or write, a claim: one on a task with a scope for tasks, any with one for messages.
 * @throws RelayError `forbidden_scope` naming the missing scope.
 */
export function assertClaimScope(principal: Principal, kind: Claim['kind'], way: 'read' | 'write'): void {
  const ofTasks: readonly Scope[] = way === 'read' ? ['tasks:read', 'tasks:write'] : ['tasks:write'];
  if (kind === 'task' && ofTasks.some((scope) => wasGiven(principal, scope))) return;
  assertScope(principal, `messages:${way}`);
}

/**
 * The only source whose tasks a caller reads: its own name where it was given to create tasks and not to read them; undefined where nothing
 * narrows it. @throws RelayError `forbidden_scope` when it reports under no one name.
 */
export function onlySourceOf(principal: Principal): string | undefined {
  if (!grantOf(principal) || wasGiven(principal, 'tasks:read')) return undefined;
  const own = principal.type === 'integration' ? principal.name : agentOf(principal);
  if (own === null) assertScope(principal, 'tasks:read');
  return own ?? undefined;
}

/** Whether an allow-list has this address, given in its one spelling. */
const isTarget = ({ targets }: Pick<Grant, 'targets'>, to: string): boolean =>
  !targets || targets.some((target) => spellingOf(target) === to);

/** An address as it is compared, whatever the directory says now: a bare word is an id. */
export function spellingOf(target: string): string {
  const address = parseAddress(target);
  if (!address) return target;
  return address.type === 'bare' ? `id:${address.word}` : formatAddress(address);
}
