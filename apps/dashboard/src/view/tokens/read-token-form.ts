import { type RouteRequest, scopes } from 'agent-relay-protocol';
import type { Fields } from '../form/read-fields.ts';

export const tokenKinds = [
  { id: 'scoped', word: 'a program' },
  { id: 'agent', word: 'one agent' },
  { id: 'channel', word: 'a channel to people' },
  { id: 'observer', word: 'somebody who only reads' },
] as const;
export type CreateTokenRequest = RouteRequest<'tokens/create'>;
export type TokenKindChoice = (typeof tokenKinds)[number]['id'];

const DAY_MS = 86_400_000;

/** The request that a filled form asks for; what the kind has no use for is left out. */
export function readTokenForm(kind: TokenKindChoice, fields: Fields): CreateTokenRequest {
  const targets = fields
    .text('targets')
    .split(/[\s,]+/u)
    .filter((target) => target !== '');
  const days = Number(fields.text('days'));
  return {
    name: fields.text('name'),
    kind,
    ...(kind === 'agent' || kind === 'channel' ? { agentId: fields.text('agentId') } : {}),
    ...(kind === 'scoped' ? { scopes: scopes.filter((scope) => fields.all('scope').includes(scope)) } : {}),
    ...(kind !== 'observer' && targets.length > 0 ? { targets } : {}),
    ...(days > 0 ? { expiresInMs: days * DAY_MS } : {}),
  };
}
