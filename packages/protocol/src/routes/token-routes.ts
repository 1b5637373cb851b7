import { z } from 'zod';
import { listByIdOf, OpaqueIdSchema, pageById } from '../primitives.ts';
import { route } from '../route.ts';
import { CreatedTokenSchema, CreateTokenSchema, TokenSchema } from '../token.ts';

/** Routes of the table. */
export const tokenRoutes = {
  'tokens/create': route({
    method: 'POST',
    path: '/tokens',
    scope: '*',
    anonymous: false,
    summary: 'Make a token for a program, an agent or an observer; it is shown once',
    input: CreateTokenSchema,
    output: CreatedTokenSchema,
    status: 201,
  }),
  'tokens/list': route({
    method: 'GET',
    path: '/tokens',
    scope: '*',
    anonymous: false,
    summary: 'The tokens that are good now, by id, without themselves',
    input: z.strictObject(pageById),
    output: listByIdOf(TokenSchema),
  }),
  'tokens/revoke': route({
    method: 'DELETE',
    path: '/tokens/:id',
    scope: '*',
    anonymous: false,
    summary: 'End a token at once, with the sockets and streams it holds open',
    input: z.strictObject({ id: OpaqueIdSchema }),
    output: z.object({ revoked: z.literal(true) }),
  }),
} as const;
