import { scopes } from 'agent-relay-protocol';
import type { CreateTokenRequest } from '../../relay/requests.ts';

export const tokenKinds = [
  { id: 'scoped', word: 'a program' },
  { id: 'agent', word: 'one agent' },
  { id: 'channel', word: 'a channel to people' },
  { id: 'observer', word: 'somebody who only reads' },
] as const;
export type TokenKindChoice = (typeof tokenKinds)[number]['id'];

const DAY_MS = 86_400_000;

/** The request that a filled form asks for; what the kind has no use for is left out. */
export function readTokenForm(kind: TokenKindChoice, form: FormData): CreateTokenRequest {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const targets = text('targets')
    .split(/[\s,]+/u)
    .filter((target) => target !== '');
  const days = Number(text('days'));
  return {
    name: text('name'),
    kind,
    ...(kind === 'agent' || kind === 'channel' ? { agentId: text('agentId') } : {}),
    ...(kind === 'scoped' ? { scopes: scopes.filter((scope) => form.getAll('scope').includes(scope)) } : {}),
    ...(kind !== 'observer' && targets.length > 0 ? { targets } : {}),
    ...(days > 0 ? { expiresInMs: days * DAY_MS } : {}),
  };
}
