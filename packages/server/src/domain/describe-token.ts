import type { Token, TokenKind } from 'agent-relay-protocol';
import type { NewEvent, TokenRecord } from './change.ts';

/** What a link or an address carries: good for beginning a session and nothing else, and told nowhere. */
export const isCode = ({ type }: Pick<TokenRecord, 'type'>): boolean => type === 'login' || type === 'dial';

const kindOf = ({ type, grants }: TokenRecord): TokenKind => {
  if (type === 'login') return 'browser';
  if (type === 'dial') return 'session';
  return type === 'scoped' ? (grants?.kind ?? 'scoped') : type;
};

/** A token as lists and the log tell of it: neither itself nor its hash. */
export function describeToken(record: TokenRecord): Token {
  const { tokenId, name, agentId, nodeId, grants, share, createdAt, expiresAt } = record;
  return {
    tokenId,
    kind: kindOf(record),
    name,
    agentId,
    nodeId,
    ...(share ? { sessionId: share.sessionId } : {}),
    scopes: grants ? [...grants.scopes] : null,
    targets: grants?.targets ? [...grants.targets] : null,
    channels: grants?.channels ? [...grants.channels] : null,
    createdAt,
    createdBy: grants?.createdBy ?? share?.createdBy ?? null,
    expiresAt,
  };
}

/** `by` is who asked for it. */
export const tokenCreated = (record: TokenRecord, by: string): NewEvent => ({
  type: 'token.created',
  at: record.createdAt,
  token: describeToken(record),
  by,
});

export const tokenRevoked = (record: TokenRecord, at: number, by: string): NewEvent => ({
  type: 'token.revoked',
  at,
  token: describeToken(record),
  by,
});
