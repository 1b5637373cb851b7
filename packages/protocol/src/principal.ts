import { z } from 'zod';
import { AddressSchema, AgentIdSchema, GroupNameSchema, LabelSchema, OpaqueIdSchema } from './primitives.ts';
import { scopes } from './well-known.ts';

export const ScopeSchema = z.enum(scopes);
export type Scope = z.infer<typeof ScopeSchema>;

/** What a token may do: the scopes it has, and whom it may address. `null` where nothing is narrowed. */
export const grantFields = {
  scopes: z.array(ScopeSchema).min(1).max(64),
  targets: z.array(AddressSchema).max(256).nullable().describe('The addresses it may send to or act upon; null for every one'),
  channels: z.array(GroupNameSchema).max(256).nullable().describe('The channels it may send in; null for every one'),
};

/**
 * Who a request speaks for. `anonymous` is a tokenless program on loopback: it may use the routes marked anonymous and nothing that starts
 * or steers code. An `agent` acts only as itself, under its own epoch; a `node` also as the agents it hosts. A `token` was made by a person:
 * with an `agentId` it acts only as that agent, under whatever epoch it has. An `integration` is named in the relay's configuration. A `share`
 * is whoever has the link to one session's log: it reads that and does nothing.
 */
export const PrincipalSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('owner'), workspace: OpaqueIdSchema }),
  z.object({ type: z.literal('node'), workspace: OpaqueIdSchema, nodeId: OpaqueIdSchema }),
  z.object({ type: z.literal('agent'), workspace: OpaqueIdSchema, agentId: AgentIdSchema, epoch: z.int().min(1) }),
  z.object({
    type: z.literal('token'),
    workspace: OpaqueIdSchema,
    tokenId: OpaqueIdSchema,
    name: LabelSchema,
    kind: z.enum(['scoped', 'agent', 'channel', 'observer']).describe('What it was made for'),
    agentId: AgentIdSchema.nullable(),
    ...grantFields,
  }),
  z.object({ type: z.literal('integration'), workspace: OpaqueIdSchema, name: AgentIdSchema, ...grantFields }),
  z.object({
    type: z.literal('share'),
    workspace: OpaqueIdSchema,
    tokenId: OpaqueIdSchema,
    agentId: AgentIdSchema,
    sessionId: OpaqueIdSchema,
  }),
  z.object({ type: z.literal('anonymous'), workspace: OpaqueIdSchema }),
]);
export type Principal = z.infer<typeof PrincipalSchema>;
