import { z } from 'zod';
import { AgentIdSchema, MessageIdSchema, TimestampSchema } from './primitives.ts';
import { PersonNameSchema } from './principal-name.ts';

const pair = {
  id: MessageIdSchema.describe('The number of the invitation, which begins the thread that the pair talks in'),
  requester: AgentIdSchema,
  target: AgentIdSchema,
  objective: z.string(),
  requestedAt: TimestampSchema,
};

/** Why a pair is over: one side hung up, went offline, was replaced by a newer session of the same address, or was removed. */
export const PairEndCauseSchema = z.enum(['hung_up', 'offline', 'replaced', 'removed']);
export type PairEndCause = z.infer<typeof PairEndCauseSchema>;

/**
 * An exclusive live chat of two agents. Pending or active, it is open, and each agent is in at most one open pair. `acceptedAt` of an ended
 * pair is null when nobody had accepted it.
 */
export const PairSchema = z.discriminatedUnion('status', [
  z.object({ ...pair, status: z.literal('pending') }),
  z.object({ ...pair, status: z.literal('active'), acceptedAt: TimestampSchema }),
  z.object({ ...pair, status: z.literal('rejected'), endedAt: TimestampSchema, reason: z.string().nullable() }),
  z.object({
    ...pair,
    status: z.literal('ended'),
    acceptedAt: TimestampSchema.nullable(),
    endedAt: TimestampSchema,
    endedBy: z.union([AgentIdSchema, PersonNameSchema]).describe('Who hung up or left'),
    cause: PairEndCauseSchema,
    reason: z.string().nullable(),
  }),
]);
export type Pair = z.infer<typeof PairSchema>;
export type PairStatus = Pair['status'];
export type OpenPair = Extract<Pair, { status: 'pending' | 'active' }>;

export const PairStatusSchema = z.enum(['pending', 'active', 'rejected', 'ended']);
