import { type CreateToken, RelayError, type Scope } from 'agent-relay-protocol';
import { isBuiltIn } from './membership.ts';
import type { Grant } from './scopes.ts';

/** What a person gives a program. */
export interface PersonalGrant extends Grant {
  readonly kind: 'scoped' | 'agent' | 'channel' | 'observer';
  readonly agentId: string | null;
}

/** Everything that changes nothing and is not for people alone. */
const readScopes: readonly Scope[] = [
  'stats:read',
  'health:read',
  'events:read',
  'channels:read',
  'agents:read',
  'messages:read',
  'tasks:read',
  'pairs:read',
  'sessions:read',
  'nodes:read',
];

/** What an agent has that a node runs; a token for one gives no more. */
const agentScopes: readonly Scope[] = [...readScopes, 'agents:write', 'messages:write', 'tasks:write', 'pairs:write', 'sessions:write'];

/** What a person gives; scopes that are asked for narrow it. */
const mostOf: Readonly<Record<Exclude<PersonalGrant['kind'], 'scoped'>, readonly Scope[]>> = {
  agent: agentScopes,
  // It speaks for people, and starts nothing.
  channel: [
    'events:read',
    'channels:read',
    'agents:read',
    'agents:write',
    'messages:read',
    'messages:write',
    'approvals:read',
    'approvals:write',
  ],
  observer: [...readScopes, 'approvals:read', 'workspace:read'],
};

/** @throws RelayError `validation_failed` naming the field that does not fit the kind. */
export function grantFor({ kind = 'scoped', scopes, targets = null, channels = null, agentId }: CreateToken): PersonalGrant {
  const actsAsOne = kind === 'agent' || kind === 'channel';
  if (actsAsOne && agentId === undefined) throw invalid('agentId', `Say which ${kind} the token acts as`);
  if (!actsAsOne && agentId !== undefined) throw invalid('agentId', 'Only a token of kind agent or channel acts as one agent');
  if (agentId !== undefined && isBuiltIn(agentId)) throw invalid('agentId', `${agentId} is an address of the relay's own`);
  return { kind, agentId: agentId ?? null, scopes: scopesFor(kind, scopes), targets, channels };
}

function scopesFor(kind: PersonalGrant['kind'], asked: readonly Scope[] | undefined): readonly Scope[] {
  if (kind === 'scoped') {
    if (!asked) throw invalid('scopes', 'Name the scopes of the token');
    return [...new Set(asked)];
  }
  const most = mostOf[kind];
  const beyond = asked?.find((scope) => !most.includes(scope));
  if (beyond !== undefined) throw invalid('scopes', `A token of kind ${kind} cannot have ${beyond}`);
  return asked ? [...new Set(asked)] : most;
}

const invalid = (path: string, message: string): RelayError =>
  new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
