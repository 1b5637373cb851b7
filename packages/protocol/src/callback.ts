import { z } from 'zod';
import { AgentIdSchema, MessageIdSchema, TimestampSchema } from './primitives.ts';

/** `pending` is being sent or waits for its turn or its next attempt; a `dead` one is not tried again by itself. */
export const CallbackStatusSchema = z.enum(['pending', 'delivered', 'dead']);
export type CallbackStatus = z.infer<typeof CallbackStatusSchema>;

/** What a callback tells: a task was created, claimed, its status changed, or its progress did. */
export const CallbackEventSchema = z.enum(['task.created', 'task.claimed', 'task.status', 'task.updated']);
export type CallbackEvent = z.infer<typeof CallbackEventSchema>;

/** One lifecycle event of a task on its way to the integration that created it. Written in the commit of the change it tells of. */
export const CallbackSchema = z.object({
  id: z.int().min(1),
  taskId: MessageIdSchema,
  integration: AgentIdSchema,
  event: CallbackEventSchema,
  status: CallbackStatusSchema,
  attempts: z.int().min(0),
  nextAttemptAt: TimestampSchema.nullable().describe('When it is tried next; an earlier callback of its task goes first'),
  lastStatus: z.int().nullable().describe('The HTTP status of the last answer; null when there was none'),
  lastError: z.string().nullable(),
  createdAt: TimestampSchema,
  updatedAt: TimestampSchema,
});
export type Callback = z.infer<typeof CallbackSchema>;
