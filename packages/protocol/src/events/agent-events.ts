import { z } from 'zod';
import { AgentSchema, StallSchema } from '../agent.ts';
import { AgentIdSchema, MessageIdSchema, OpaqueIdSchema, TimestampSchema, told } from '../primitives.ts';

export const agentEvents = [
  z.object({ type: z.literal('agent.registered'), ...told, agent: AgentSchema }),
  z.object({ type: z.literal('agent.updated'), ...told, agent: AgentSchema }),
  z.object({ type: z.literal('agent.status'), ...told, agent: AgentSchema }),
  z
    .object({
      type: z.literal('agent.stalled'),
      ...told,
      agentId: AgentIdSchema,
      waiting: z.int().min(0).describe('How much mail it has not taken; 0 where its turn stands still'),
      oldestAt: TimestampSchema,
      cause: StallSchema.shape.cause.optional(),
      detail: z.string().optional(),
    })
    .describe('It is there and does not go on; told once, until it has recovered'),
  z
    .object({ type: z.literal('agent.recovered'), ...told, agentId: AgentIdSchema })
    .describe('It has stalled no more: it took mail, its turn went on, or its session is over. Who is removed is told of by that alone'),
  z
    .object({
      type: z.literal('agent.woken'),
      ...told,
      agentId: AgentIdSchema,
      sessionId: OpaqueIdSchema.nullable().describe('The session that began; null where none could be started'),
      messageId: MessageIdSchema.describe('The first message that waited'),
      reason: z.string().nullable().describe('Why none could be started'),
    })
    .describe('Mail has started it, or was to'),
  z.object({ type: z.literal('agent.removed'), ...told, agentId: AgentIdSchema }),
] as const;
