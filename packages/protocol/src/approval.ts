import { z } from 'zod';
import { ToolKindSchema } from './agent-event.ts';
import { ApprovalOptionSchema, approvalLimits, FormAnswersSchema, FormFieldSchema } from './approval-form.ts';
import { AgentIdSchema, lineOf, MAX_BODY_LENGTH, TimestampSchema } from './primitives.ts';
import { PrincipalNameSchema } from './principal-name.ts';

/** What a session calls one of its questions; the base that providers share makes them unique. */
export const ApprovalIdSchema = z.string().min(1).max(256);

const approval = {
  approvalId: ApprovalIdSchema,
  agentId: AgentIdSchema,
  sessionId: z.string().min(1).max(160).describe('Of the session that asks; an agent that no machine runs asks under a name of its own'),
  kind: ToolKindSchema,
  title: z.string().describe('What the agent wants to do, in a line'),
  cwd: z.string().optional().describe('The folder it would do it in'),
  input: z.json().optional().describe('What exactly would run; a text that says what is missing where it is too long'),
  files: z
    .array(z.string())
    .optional()
    .describe('The files that it would change as its input names them, absolute; absent where that cannot be told'),
  options: z.array(ApprovalOptionSchema).optional().describe('The answers that its vendor knows; absent where an earlier version asked'),
  form: z.array(FormFieldSchema).optional().describe('What a person is asked for in words; a yes brings the answers'),
  isEditable: z.boolean().optional().describe('A yes may bring another input, which runs instead'),
  requestedAt: TimestampSchema,
  expiresAt: TimestampSchema.optional().describe("When nobody's answer becomes a no; sooner, where the relay heard of it late"),
};

/**
 * A question to a person: may this agent do that, or what should it know? Pending until it is answered, its time is over, or its turn or session
 * ends. What an agent asks about depends on its mode, its approval mode and `ask`; what its vendor asks in words always comes here.
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
    optionId: z.string().optional().describe('Which of the options was chosen, where the answer named one'),
    answers: FormAnswersSchema.optional().describe('What was answered, without what is secret'),
    updatedInput: z.json().optional().describe('What ran instead of the input'),
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

/** What an agent asks that no machine runs: it says itself what it wants to do. */
export const AskApprovalSchema = z.strictObject({
  approvalId: ApprovalIdSchema,
  kind: ToolKindSchema,
  title: z.string().min(1).max(500).describe('What the agent wants to do, in a line'),
  cwd: lineOf(4096).optional(),
  input: z
    .json()
    .refine((input) => JSON.stringify(input).length <= MAX_BODY_LENGTH, `must have at most ${MAX_BODY_LENGTH} characters as JSON`)
    .optional(),
  options: z.array(ApprovalOptionSchema).min(1).max(approvalLimits.options).optional().describe('Default: allow, or deny'),
  form: z.array(FormFieldSchema).min(1).max(approvalLimits.fields).optional().describe('What it asks for in words'),
  isEditable: z.boolean().optional().describe('A yes may bring another input, which the agent then runs instead'),
});
export type AskApproval = z.infer<typeof AskApprovalSchema>;

/**
 * What a person says to it: `allow`, which is once, or `deny`, or one of its own options by `optionId`; `answers` to what its form asks, which without
 * a word more are a yes.
 */
export const ApprovalAnswerSchema = z.strictObject({
  outcome: z.enum(['allow', 'deny']).optional(),
  optionId: ApprovalIdSchema.optional().describe("One of the question's `options`"),
  answers: FormAnswersSchema.optional().describe('By the id of the field'),
  updatedInput: z
    .json()
    .refine((input) => JSON.stringify(input).length <= MAX_BODY_LENGTH, `must have at most ${MAX_BODY_LENGTH} characters as JSON`)
    .optional()
    .describe('What shall run instead of `input`, where the question is `isEditable`'),
  message: z.string().min(1).max(2000).optional().describe('The agent reads it; with `deny`, why, or what it should do instead'),
});
export type ApprovalAnswer = z.infer<typeof ApprovalAnswerSchema>;
