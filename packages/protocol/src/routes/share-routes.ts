import { z } from 'zod';
import { AgentIdSchema, listByIdOf, OpaqueIdSchema, pageById } from '../primitives.ts';
import { nothing, route } from '../route.ts';
import { CreatedShareSchema, CreateShareSchema, SharedSessionSchema, ShareSchema } from '../share.ts';

/** Routes of the table. */
export const shareRoutes = {
  'shares/create': route({
    method: 'POST',
    path: '/shares',
    scope: '*',
    anonymous: false,
    summary: "Make a link that shows one session's log, and nothing else, to whoever has it; its code is shown once",
    input: CreateShareSchema,
    output: CreatedShareSchema,
    status: 201,
    formerly: { agent: 'agentId', session: 'sessionId' },
  }),
  'shares/list': route({
    method: 'GET',
    path: '/shares',
    scope: '*',
    anonymous: false,
    summary: 'The links that are good now, by id, without their codes',
    input: z.strictObject({ agent: AgentIdSchema.optional(), ...pageById }),
    output: listByIdOf(ShareSchema),
  }),
  'shares/revoke': route({
    method: 'DELETE',
    path: '/shares/:id',
    scope: '*',
    anonymous: false,
    summary: 'End a link at once, for those too who have it open',
    input: z.strictObject({ id: OpaqueIdSchema }),
    output: z.object({ revoked: z.literal(true) }),
  }),
  'shared/get': route({
    method: 'GET',
    path: '/shared',
    scope: '*',
    shared: true,
    anonymous: false,
    summary: "Whose session a link shows; its log is the agent's activity. For whoever shows a link's code as token",
    input: nothing,
    output: SharedSessionSchema,
  }),
} as const;
