import { z } from 'zod';
import { MAX_LEASE_MS } from './limits.ts';
import { AgentIdSchema, OpaqueIdSchema, TimestampSchema } from './primitives.ts';

const held = {
  claimId: OpaqueIdSchema,
  kind: z.enum(['message', 'task']),
  subjectId: z.int().min(1),
  agentId: AgentIdSchema,
  epoch: z.int().min(0),
  fence: z.int().min(1).describe('Grows with every claim of the same work; a write that carries an older one gets stale_fence'),
  claimedAt: TimestampSchema,
  progress: z.json().nullable(),
};

/** Ownership of one piece of work for a while. The lease exists only while the claim is held. */
export const ClaimSchema = z.discriminatedUnion('status', [
  z.object({ ...held, status: z.literal('held'), leaseExpiresAt: TimestampSchema }),
  z.object({ ...held, status: z.literal('completed'), endedAt: TimestampSchema, result: z.json().nullable() }),
  z.object({ ...held, status: z.literal('released'), endedAt: TimestampSchema, reason: z.string().nullable() }),
  z.object({ ...held, status: z.literal('expired'), endedAt: TimestampSchema }),
  z.object({ ...held, status: z.literal('cancelled'), endedAt: TimestampSchema, reason: z.string().nullable() }),
]);
export type Claim = z.infer<typeof ClaimSchema>;
export type HeldClaim = Extract<Claim, { status: 'held' }>;

export const LeaseMsSchema = z.int().min(1000).max(MAX_LEASE_MS);
