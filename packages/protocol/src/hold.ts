import { z } from 'zod';
import { MessageSchema } from './message.ts';
import { MessageIdSchema, TimestampSchema } from './primitives.ts';
import { PrincipalNameSchema } from './principal-name.ts';

/**
 * Which rule of the loop guard a message broke. `hops`: too many answers of agents to agents since a person took part. `pair_rate` and
 * `thread_rate`: agents exchange messages too fast. `repeats`: the same words again and again, in answer to each other. `token_budget`: the
 * recipient has used the tokens it may use in an hour.
 */
export const GuardRuleSchema = z.enum(['hops', 'pair_rate', 'thread_rate', 'repeats', 'token_budget']);
export type GuardRule = z.infer<typeof GuardRuleSchema>;

/** A message that has not been sent: it gets its number, and its time to live begins, when it is released. */
export const HeldMessageSchema = MessageSchema.omit({ id: true, threadId: true, createdAt: true, expiresAt: true, deletedAt: true }).extend(
  {
    threadId: MessageIdSchema.nullable().describe('Null when it begins a thread'),
    ttlMs: z.int().min(1).nullable(),
  },
);
export type HeldMessage = z.infer<typeof HeldMessageSchema>;

const hold = {
  id: MessageIdSchema.describe('Where the log first tells of it'),
  rule: GuardRuleSchema,
  reason: z.string().describe('What was broken, in one sentence'),
  message: HeldMessageSchema,
  attempts: z.int().min(1).describe('How often the sender has tried to send it'),
  heldAt: TimestampSchema,
};
const decided = { ...hold, decidedAt: TimestampSchema, decidedBy: PrincipalNameSchema.describe('Who decided, as in `sender.principal`') };

/** A message that the loop guard keeps until a person decides. */
export const HoldSchema = z.discriminatedUnion('status', [
  z.object({ ...hold, status: z.literal('held') }),
  z.object({ ...decided, status: z.literal('released'), messageId: MessageIdSchema.describe('What it became') }),
  z.object({ ...decided, status: z.literal('refused'), because: z.string().nullable() }),
]);
export type Hold = z.infer<typeof HoldSchema>;
export type OpenHold = Extract<Hold, { status: 'held' }>;
export type HoldStatus = Hold['status'];
export const HoldStatusSchema = z.enum(['held', 'released', 'refused']);
