import { z } from 'zod';
import { ToolKindSchema } from './agent-event.ts';
import { AgentIdSchema, OpaqueIdSchema, TimestampSchema } from './primitives.ts';
import { PrincipalNameSchema } from './principal-name.ts';

/** What a session calls one of its questions; the base that providers share makes them unique. */
export const ApprovalIdSchema = z.string().min(1).max(256);

const approval = {
  approvalId: ApprovalIdSchema,
  agentId: AgentIdSchema,
  sessionId: OpaqueIdSchema,
  kind: ToolKindSchema,
  title: z.string().describe('What the agent wants to do, in a line'),
  cwd: z.string().optional().describe('The folder it would do it in'),
  input: z.json().optional().describe('What exactly would run; a text that says what is missing where it is too long'),
  requestedAt: TimestampSchema,
};

/**
 * A question to a person: may this agent do that, once? Pending until it is answered, its time is over, or its turn or session ends. Only a
 * turn that relay mail is part of asks, and only where the agent's approval mode is `guarded`.
 */
export const ApprovalSchema = z.discriminatedUnion('status', [
  z.object({ ...approval, status: z.literal('pending'), resolvedAt: z.null(), by: z.null(), message: z.null() }),
  z.object({
    ...approval,
    status: z.enum(['allowed', 'denied', 'cancelled']),
    resolvedAt: TimestampSchema,
    by: PrincipalNameSchema.describe(
      'Who answered, as in `sender.principal`; `timeout` when nobody did, `session` when there was nothing left to answer',
    ),
    message: z.string().nullable().describe('What the agent was told with the answer'),
  }),
]);
export type Approval = z.infer<typeof ApprovalSchema>;
export type ApprovalStatus = Approval['status'];
export type PendingApproval = Extract<Approval, { status: 'pending' }>;

const ApprovalStatusSchema = z.enum(['pending', 'allowed', 'denied', 'cancelled']);

/** Statuses as callers write them: `canceled`, as tasks have it, is the same word. */
export const ListedApprovalStatusSchema = z
  .enum([...ApprovalStatusSchema.options, 'canceled'])
  .transform((status) => (status === 'canceled' ? 'cancelled' : status))
  .pipe(ApprovalStatusSchema);

/** What a person says to it. An answer holds for this one use. */
export const ApprovalAnswerSchema = z.strictObject({
  outcome: z.enum(['allow', 'deny']),
  message: z.string().min(1).max(2000).optional().describe('The agent reads it; with `deny`, why, or what it should do instead'),
});
export type ApprovalAnswer = z.infer<typeof ApprovalAnswerSchema>;
