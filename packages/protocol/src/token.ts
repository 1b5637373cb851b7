import { z } from 'zod';
import { AgentIdSchema, LabelSchema, OpaqueIdSchema, TimestampSchema } from './primitives.ts';
import { grantFields } from './principal.ts';
import { PrincipalNameSchema } from './principal-name.ts';

/**
 * What a token is for. A person makes `scoped` (a program), `agent` (acts only as that agent, in every epoch), `channel` (as that channel, and
 * sees and answers approvals for the people behind it) and `observer` (reads only); the relay makes `browser` (a dashboard that logged in), `node` (a machine), `session` (an agent, for one epoch) and
 * `share` (a link to one session's log).
 */
export const TokenKindSchema = z.enum(['scoped', 'agent', 'channel', 'observer', 'browser', 'node', 'session', 'share']);
export type TokenKind = z.infer<typeof TokenKindSchema>;

/** One token, without itself: only its hash is kept. */
export const TokenSchema = z.object({
  tokenId: OpaqueIdSchema,
  kind: TokenKindSchema,
  name: z.string().nullable(),
  agentId: AgentIdSchema.nullable().describe('The one agent it acts as'),
  nodeId: OpaqueIdSchema.nullable(),
  sessionId: OpaqueIdSchema.optional().describe('Of a link: the session whose log it shows'),
  ...grantFields,
  scopes: grantFields.scopes.nullable().describe('Null where the kind alone says what it may'),
  createdAt: TimestampSchema,
  createdBy: PrincipalNameSchema.nullable().describe('Who asked for it, as in `sender.principal`'),
  expiresAt: TimestampSchema.nullable(),
});
export type Token = z.infer<typeof TokenSchema>;

/** A token lives for up to ten years. */
const MAX_LIFE_MS = 3650 * 86_400_000;

export const CreateTokenSchema = z.strictObject({
  name: LabelSchema.describe('For people; it is told with what the token sends'),
  kind: TokenKindSchema.extract(['scoped', 'agent', 'channel', 'observer']).optional().describe('Defaults to scoped'),
  scopes: grantFields.scopes.optional().describe('Required for scoped; narrows the others, which have a set of their own'),
  targets: grantFields.targets.optional(),
  channels: grantFields.channels.optional(),
  agentId: AgentIdSchema.optional().describe('Required for agent and channel, and only there'),
  expiresInMs: z.int().min(1000).max(MAX_LIFE_MS).optional().describe('Without it the token lives until it is revoked'),
});
export type CreateToken = z.infer<typeof CreateTokenSchema>;

export const CreatedTokenSchema = TokenSchema.extend({ token: z.string().describe('Shown once') });
export type CreatedToken = z.infer<typeof CreatedTokenSchema>;
