import type { Token, TokenKind } from 'agent-relay-protocol';
import type { TokenRecord } from '../../domain/change.ts';

const kinds = { owner: 'browser', node: 'node', agent: 'session', login: 'browser' } as const satisfies Record<
  Exclude<TokenRecord['type'], 'scoped'>,
  TokenKind
>;

/** A token as lists and the log tell of it: neither itself nor its hash. */
export function describeToken({ tokenId, type, name, agentId, nodeId, grants, createdAt, expiresAt }: TokenRecord): Token {
  return {
    tokenId,
    kind: type === 'scoped' ? (grants?.kind ?? 'scoped') : kinds[type],
    name,
    agentId,
    nodeId,
    scopes: grants ? [...grants.scopes] : null,
    targets: grants?.targets ? [...grants.targets] : null,
    channels: grants?.channels ? [...grants.channels] : null,
    createdAt,
    createdBy: grants?.createdBy ?? null,
    expiresAt,
  };
}
