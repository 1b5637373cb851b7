import { z } from 'zod';
import { HoldSchema, HoldStatusSchema } from '../hold.ts';
import { SentMessageSchema } from '../message.ts';
import { AgentIdSchema, counted, listOf, MessageIdSchema, pageBefore } from '../primitives.ts';
import { route } from '../route.ts';

const hold = { id: MessageIdSchema };

/** Routes of the table. */
export const holdRoutes = {
  'holds/list': route({
    method: 'GET',
    path: '/holds',
    scope: 'messages:read',
    anonymous: true,
    summary: 'Messages that the loop guard keeps or kept, newest first',
    input: z.strictObject({
      status: HoldStatusSchema.optional(),
      from: AgentIdSchema.optional(),
      ...pageBefore,
    }),
    output: listOf(HoldSchema),
  }),
  'holds/count': route({
    method: 'GET',
    path: '/holds/count',
    scope: 'messages:read',
    anonymous: true,
    summary: 'How many held messages there are of each status, of those that the caller may list',
    input: z.strictObject({ status: HoldStatusSchema.optional(), from: AgentIdSchema.optional() }),
    output: counted,
  }),
  'holds/get': route({
    method: 'GET',
    path: '/holds/:id',
    scope: 'messages:read',
    anonymous: true,
    summary: 'One held message',
    input: z.strictObject(hold),
    output: HoldSchema,
  }),
  'holds/release': route({
    method: 'POST',
    path: '/holds/:id/release',
    scope: 'holds:write',
    anonymous: false,
    summary: 'Send a held message after all; for a person only. What the guard has counted between its agents begins anew',
    input: z.strictObject(hold),
    output: SentMessageSchema,
    status: 201,
  }),
  'holds/refuse': route({
    method: 'POST',
    path: '/holds/:id/refuse',
    scope: 'holds:write',
    anonymous: false,
    summary: 'Never send a held message; for a person only. The sender is told',
    input: z.strictObject({ ...hold, because: z.string().min(1).max(1000).optional() }),
    output: HoldSchema,
  }),
} as const;
