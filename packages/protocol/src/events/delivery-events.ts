import { z } from 'zod';
import { DeliveryEvidenceSchema, DeliveryStateSchema } from '../delivery.ts';
import { AgentIdSchema, MessageIdSchema, told } from '../primitives.ts';

const delivery = {
  ...told,
  messageId: MessageIdSchema,
  agentId: AgentIdSchema.describe('The recipient'),
  from: AgentIdSchema.describe('The sender, who is told'),
  state: DeliveryStateSchema,
  evidence: DeliveryEvidenceSchema.nullable(),
  late: z.boolean(),
  reason: z.string().nullable(),
};

export const deliveryEvents = [
  z.object({ type: z.literal('delivery.dispatched'), ...delivery }),
  z.object({ type: z.literal('delivery.delivered'), ...delivery }),
  z.object({ type: z.literal('delivery.seen'), ...delivery }),
  z.object({ type: z.literal('delivery.answered'), ...delivery }),
  z.object({ type: z.literal('delivery.failed'), ...delivery }),
  z.object({
    type: z.literal('delivery.expired'),
    ...delivery,
    count: z.int().min(1).describe('How many recipients it expired for; told once'),
  }),
] as const;
