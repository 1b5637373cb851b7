import { z } from 'zod';
import { hookRunFields } from '../hook.ts';
import { AgentIdSchema, CursorSchema, told } from '../primitives.ts';

export const hookEvents = [
  z
    .object({
      type: z.literal('hook.completed'),
      ...told,
      ...hookRunFields,
      agentId: AgentIdSchema.nullable().describe('The agent whose event set it off'),
      eventSeq: CursorSchema.describe('That event'),
    })
    .describe("One of the relay's own hooks ran"),
] as const;
