import { z } from 'zod';
import { AgentSchema } from '../agent.ts';
import { AgentIdSchema, MessageIdSchema, OpaqueIdSchema, TimestampSchema, told } from '../primitives.ts';

export const agentEvents = [
  z.object({ type: z.literal('agent.registered'), ...told, agent: AgentSchema }),
  z.object({ type: z.literal('agent.updated'), ...told, agent: AgentSchema }),
  z.object({ type: z.literal('agent.status'), ...told, agent: AgentSchema }),
  z.object({ type: z.literal('agent.stalled'), ...told, agentId: AgentIdSchema, waiting: z.int().min(1), oldestAt: TimestampSchema }),
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
