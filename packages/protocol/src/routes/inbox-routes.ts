import { z } from 'zod';
import { SessionGuardSchema } from '../agent.ts';
import { DeliveryReportSchema } from '../delivery.ts';
import { InboxItemSchema } from '../message.ts';
import { AgentIdSchema, listOf, MessageIdSchema, pageAfter } from '../primitives.ts';
import { route } from '../route.ts';

const agent = { id: AgentIdSchema };
const guard = SessionGuardSchema.shape;

/** Routes of the table. */
export const inboxRoutes = {
  'inbox/list': route({
    method: 'GET',
    path: '/agents/:id/inbox',
    scope: 'messages:read',
    anonymous: true,
    summary: "An agent's waiting mail, oldest first; waits up to `waitMs` for the first piece",
    input: z.strictObject({
      ...agent,
      ...guard,
      waitMs: z.int().min(0).max(50_000).optional(),
      ...pageAfter,
      after: pageAfter.after.describe('With peek: `nextCursor` of the page before. Without it the rest follows what is acknowledged'),
      peek: z.boolean().optional().describe('Only look: takes no lease and changes no state'),
    }),
    output: listOf(InboxItemSchema),
    wait: { field: 'waitMs' },
  }),
  'inbox/ack': route({
    method: 'POST',
    path: '/agents/:id/inbox/ack',
    scope: 'messages:write',
    anonymous: true,
    summary: 'I have these; they leave the inbox',
    input: z.strictObject({
      ...agent,
      ...guard,
      ids: z.array(MessageIdSchema).min(1).max(1000),
      state: z.enum(['delivered', 'seen', 'answered']).optional(),
    }),
    output: z.object({
      acknowledged: z.array(MessageIdSchema),
      unknown: z.array(MessageIdSchema).describe('Not in the mail of this agent'),
    }),
  }),
  'deliveries/report': route({
    method: 'POST',
    path: '/agents/:id/deliveries',
    scope: 'messages:write',
    anonymous: true,
    summary: 'What the deliverer of this agent has evidence for',
    input: z.strictObject({ ...agent, ...guard, reports: z.array(DeliveryReportSchema).min(1).max(1000) }),
    output: z.object({
      applied: z
        .array(MessageIdSchema)
        .describe('A `dispatched` that is not here must not be handed over: the agent has it already, or it is gone'),
    }),
  }),
} as const;
