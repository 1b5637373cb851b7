import { z } from 'zod';
import { AgentIdSchema, LabelSchema, OpaqueIdSchema, TimestampSchema } from './primitives.ts';
import { PrincipalNameSchema } from './principal-name.ts';
import { SessionStatusSchema } from './session.ts';

const DAY_MS = 86_400_000;
/** How long a link is good where nothing is said, and at most. */
export const shareLimits = { defaultMs: 7 * DAY_MS, maxMs: 365 * DAY_MS } as const;

/** A link that shows the log of one session to whoever has it, and nothing else. Only the hash of its code is kept. */
export const ShareSchema = z.object({
  id: OpaqueIdSchema,
  agentId: AgentIdSchema,
  sessionId: OpaqueIdSchema,
  createdAt: TimestampSchema,
  createdBy: PrincipalNameSchema.nullable(),
  expiresAt: TimestampSchema,
});
export type Share = z.infer<typeof ShareSchema>;

export const CreateShareSchema = z.strictObject({
  agentId: AgentIdSchema,
  sessionId: OpaqueIdSchema.optional().describe('One of its sessions; left out: the latest'),
  expiresInMs: z.int().min(1000).max(shareLimits.maxMs).optional().describe('Left out: seven days'),
});

export const CreatedShareSchema = ShareSchema.extend({
  code: z.string().describe('Shown once: what a program sends as its token'),
  path: z.string().describe("The page that opens it, below the relay's own address, with the code in the fragment"),
});
export type CreatedShare = z.infer<typeof CreatedShareSchema>;

/** What whoever opens a link is told besides the log. */
export const SharedSessionSchema = z.object({
  agentId: AgentIdSchema,
  label: LabelSchema.nullable(),
  provider: z.string(),
  sessionId: OpaqueIdSchema,
  status: SessionStatusSchema,
  startedAt: TimestampSchema,
  endedAt: TimestampSchema.nullable(),
  expiresAt: TimestampSchema.describe('When the link ends'),
});
export type SharedSession = z.infer<typeof SharedSessionSchema>;
