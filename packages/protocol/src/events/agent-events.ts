import { z } from 'zod';
import { AgentSchema } from '../agent.ts';
import { AgentIdSchema, TimestampSchema, told } from '../primitives.ts';

export const agentEvents = [
  z.object({ type: z.literal('agent.registered'), ...told, agent: AgentSchema }),
  z.object({ type: z.literal('agent.updated'), ...told, agent: AgentSchema }),
  z.object({ type: z.literal('agent.status'), ...told, agent: AgentSchema }),
  z.object({ type: z.literal('agent.stalled'), ...told, agentId: AgentIdSchema, waiting: z.int().min(1), oldestAt: TimestampSchema }),
  z.object({ type: z.literal('agent.removed'), ...told, agentId: AgentIdSchema }),
] as const;
