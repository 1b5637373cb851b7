import { z } from 'zod';
import { AgentIdSchema, MessageIdSchema, TimestampSchema } from './primitives.ts';

/**
 * Where one recipient's copy stands. It moves forward only: `queued → dispatched → delivered → seen → answered`;
 * `failed` and `expired` end it, and a late confirmation overrides them, marked `late`.
 */
export const DeliveryStateSchema = z.enum(['queued', 'dispatched', 'delivered', 'seen', 'answered', 'failed', 'expired']);
export type DeliveryState = z.infer<typeof DeliveryStateSchema>;

/** The states of copies to which something has happened: what only waits has no receipt of its own yet. */
export const HandedStateSchema = DeliveryStateSchema.exclude(['queued']);
export type HandedState = z.infer<typeof HandedStateSchema>;

/**
 * Why a state is believed. `echo`: the runtime repeated our id. `accepted`: the runtime took it and has no echo.
 * `turn`: a turn that contains it ran. `ack`: the recipient said so itself. `reply`: the recipient answered it through the relay.
 */
export const DeliveryEvidenceSchema = z.enum(['echo', 'accepted', 'turn', 'ack', 'reply']);
export type DeliveryEvidence = z.infer<typeof DeliveryEvidenceSchema>;

export const DeliverySchema = z.object({
  messageId: MessageIdSchema,
  agentId: AgentIdSchema,
  state: DeliveryStateSchema,
  evidence: DeliveryEvidenceSchema.nullable(),
  late: z.boolean().describe('Confirmed after it had failed or expired'),
  reason: z.string().nullable(),
  updatedAt: TimestampSchema,
});
export type Delivery = z.infer<typeof DeliverySchema>;

/** One step a deliverer reports about one message. `reason` is required for `failed`, evidence for `delivered`, `seen` and `answered`. */
export const DeliveryReportSchema = z.strictObject({
  messageId: MessageIdSchema,
  state: z.enum(['dispatched', 'delivered', 'seen', 'answered', 'failed']),
  evidence: DeliveryEvidenceSchema.optional(),
  reason: z.string().min(1).max(1000).optional(),
});
export type DeliveryReport = z.infer<typeof DeliveryReportSchema>;

/** How long a send waits for its receipts when it does not say. */
export const DEFAULT_WAIT_MS = 30_000;

/** Until when a send waits. `all` recipients or `any` of them reach `state` or a later one. */
export const WaitForSchema = z.strictObject({
  state: z.enum(['dispatched', 'delivered', 'seen', 'answered']),
  scope: z.enum(['any', 'all']).optional().describe('Defaults to all'),
  timeoutMs: z
    .int()
    .min(0)
    .max(600_000)
    .optional()
    .describe(`Defaults to ${DEFAULT_WAIT_MS}; running out is no error: \`waited.reached\` is false`),
});
export type WaitFor = z.infer<typeof WaitForSchema>;
