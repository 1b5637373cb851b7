import { z } from 'zod';
import { ClaimSchema, LeaseMsSchema } from '../claim.ts';
import { MessageDetailSchema } from '../message.ts';
import { AgentIdSchema, listOf, OpaqueIdSchema, pageAfter } from '../primitives.ts';
import { actor, route } from '../route.ts';
import { TaskSchema } from '../task.ts';

const offered = { message: MessageDetailSchema, claim: ClaimSchema.nullable() };
export const WorkItemSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('message'), ...offered }),
  z.object({ kind: z.literal('task'), ...offered, task: TaskSchema }),
]);
export type WorkItem = z.infer<typeof WorkItemSchema>;

const claimWrite = {
  id: OpaqueIdSchema,
  fence: z
    .int()
    .min(1)
    .optional()
    .describe('From the claim; without it the write acts under the current claim of the same agent and epoch'),
  ...actor,
};
const formerly = { claimId: 'id' };

/** Routes of the table. A scope for tasks is enough for the claims on tasks; those on messages need one for messages. */
export const workRoutes = {
  'claims/get': route({
    method: 'GET',
    path: '/claims/:id',
    scope: 'messages:read',
    alsoScopes: ['tasks:read', 'tasks:write'],
    anonymous: true,
    summary: 'One claim',
    input: z.strictObject({ id: OpaqueIdSchema }),
    output: ClaimSchema,
    formerly,
  }),
  'claims/renew': route({
    method: 'POST',
    path: '/claims/:id/renew',
    scope: 'messages:write',
    alsoScopes: ['tasks:write'],
    anonymous: true,
    summary: 'Extend the lease',
    input: z.strictObject({ ...claimWrite, leaseMs: LeaseMsSchema.optional() }),
    output: ClaimSchema,
    formerly,
  }),
  'claims/progress': route({
    method: 'POST',
    path: '/claims/:id/progress',
    scope: 'messages:write',
    alsoScopes: ['tasks:write'],
    anonymous: true,
    summary: 'Say how far the work is',
    input: z.strictObject({ ...claimWrite, progress: z.json() }),
    output: ClaimSchema,
    formerly,
  }),
  'claims/release': route({
    method: 'POST',
    path: '/claims/:id/release',
    scope: 'messages:write',
    alsoScopes: ['tasks:write'],
    anonymous: true,
    summary: 'Give the work back',
    input: z.strictObject({ ...claimWrite, reason: z.string().min(1).max(1000).optional() }),
    output: ClaimSchema,
    formerly,
  }),
  'claims/complete': route({
    method: 'POST',
    path: '/claims/:id/complete',
    scope: 'messages:write',
    alsoScopes: ['tasks:write'],
    anonymous: true,
    summary: 'The work is done; accepted exactly once',
    input: z.strictObject({ ...claimWrite, result: z.json().optional() }),
    output: ClaimSchema,
    formerly,
  }),
  'work/list': route({
    method: 'GET',
    path: '/work',
    scope: 'messages:read',
    anonymous: true,
    summary: 'Work that is open for an agent, oldest first',
    input: z.strictObject({
      for: AgentIdSchema.optional(),
      held: z.boolean().optional().describe('Also what is held, by whom'),
      ...pageAfter,
    }),
    output: listOf(WorkItemSchema),
  }),
} as const;
