import { z } from 'zod';
import { DialCodeSchema, RequestDialCodeSchema } from '../dial-in.ts';
import { AgentIdSchema, listOf, OpaqueIdSchema, pageBefore } from '../primitives.ts';
import { route } from '../route.ts';
import { SessionSchema, SessionStatusSchema, SPAWN_MS, StartSessionSchema } from '../session.ts';

/** Routes of the table. */
export const sessionRoutes = {
  'sessions/start': route({
    method: 'POST',
    path: '/sessions',
    scope: 'sessions:write',
    anonymous: false,
    summary: 'Spawn an agent on a node; answers when it runs',
    input: StartSessionSchema,
    output: SessionSchema,
    status: 201,
    wait: { ms: SPAWN_MS },
  }),
  'sessions/list': route({
    method: 'GET',
    path: '/sessions',
    scope: 'sessions:read',
    anonymous: true,
    summary: 'Sessions, newest first',
    input: z.strictObject({
      agent: AgentIdSchema.optional(),
      status: SessionStatusSchema.optional(),
      ...pageBefore,
    }),
    output: listOf(SessionSchema),
  }),
  'sessions/get': route({
    method: 'GET',
    path: '/sessions/:id',
    scope: 'sessions:read',
    anonymous: true,
    summary: 'One session',
    input: z.strictObject({ id: OpaqueIdSchema }),
    output: SessionSchema,
    formerly: { sessionId: 'id' },
  }),
  'sessions/invite': route({
    method: 'POST',
    path: '/sessions/invitations',
    scope: '*',
    anonymous: false,
    summary: 'Make a code with which one program that was started elsewhere may dial in as this agent',
    input: RequestDialCodeSchema,
    output: DialCodeSchema,
    status: 201,
  }),
} as const;
