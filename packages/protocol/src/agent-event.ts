import { z } from 'zod';
import { ApprovalOptionSchema, FormAnswersSchema, FormFieldSchema } from './approval-form.ts';
import { hookRunFields } from './hook.ts';
import { PrincipalNameSchema } from './principal-name.ts';

const id = z.string().min(1).max(256);
const turn = { turnId: id };
const item = { turnId: id, itemId: id };
const text = z.string();

/** What a tool does, in words that hold for every vendor. */
export const ToolKindSchema = z.enum(['read', 'edit', 'execute', 'search', 'fetch', 'message', 'think', 'other']);
export type ToolKind = z.infer<typeof ToolKindSchema>;

export const FileChangeSchema = z.object({
  path: z.string().min(1).describe('Absolute'),
  change: z.enum(['added', 'updated', 'deleted', 'moved']),
  movedTo: z.string().optional(),
  diff: z.string().optional(),
});

export const UsageSchema = z.object({
  inputTokens: z.int().min(0),
  outputTokens: z.int().min(0),
  cachedInputTokens: z.int().min(0).optional(),
  reasoningTokens: z.int().min(0).optional(),
  costUsd: z.number().min(0).optional(),
  contextWindow: z.int().min(0).optional(),
});

/**
 * What an agent does, in one vocabulary for every vendor. Whatever has no word of its own rides in `vendor.event`.
 * Every `tool.started` has exactly one `tool.completed`; every `turn.started` ends in `turn.completed` or `turn.failed`, also when the agent crashes.
 */
export const AgentEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('session.started'),
    vendorSessionId: z.string(),
    cwd: z.string(),
    model: z.string().optional(),
    version: z.string().optional(),
    runtime: z.string().optional().describe('Which running program serves it, where the vendor leaves a choice, and why'),
  }),
  z.object({
    type: z.literal('session.ended'),
    reason: z.enum(['closed', 'exited', 'crashed', 'lost']),
    detail: z.string().optional(),
    exitCode: z.int().optional(),
  }),
  z.object({ type: z.literal('session.status'), status: z.enum(['idle', 'busy', 'waiting']), detail: z.string().optional() }),
  z.object({
    type: z.literal('turn.started'),
    ...turn,
    cause: text.optional().describe('Why it began, in a few words, where nobody prompted it'),
  }),
  z.object({
    type: z.literal('turn.completed'),
    ...turn,
    outcome: z.enum(['finished', 'interrupted']),
    text: text.optional(),
    usage: UsageSchema.optional(),
    durationMs: z.number().min(0).optional(),
  }),
  z.object({ type: z.literal('turn.failed'), ...turn, error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }) }),
  z.object({
    type: z.literal('user.message'),
    turnId: id.optional(),
    text,
    messageIds: z.array(z.int().min(1)).optional().describe('Relay messages it carries'),
  }),
  z.object({ type: z.literal('text.delta'), ...item, text }),
  z.object({ type: z.literal('text.completed'), ...item, text }),
  z.object({ type: z.literal('reasoning.delta'), ...item, text }),
  z.object({ type: z.literal('reasoning.completed'), ...item, text }),
  z.object({
    type: z.literal('tool.started'),
    ...item,
    parentItemId: id.optional().describe('The tool call that runs the sub-agent whose call this is'),
    name: z.string(),
    kind: ToolKindSchema,
    title: z.string(),
    input: z.json().optional(),
  }),
  z.object({ type: z.literal('tool.updated'), ...item, output: text }),
  z.object({
    type: z.literal('tool.completed'),
    ...item,
    outcome: z.enum(['succeeded', 'failed', 'declined', 'interrupted']),
    output: text.optional(),
    exitCode: z.int().optional(),
  }),
  z.object({
    type: z.literal('file.changed'),
    turnId: id.optional(),
    itemId: id.optional().describe('The tool call that did it'),
    changes: z.array(FileChangeSchema).min(1),
  }),
  z.object({
    type: z.literal('plan.updated'),
    turnId: id.optional(),
    steps: z.array(z.object({ step: z.string(), status: z.enum(['pending', 'active', 'done']) })),
  }),
  z.object({
    type: z.literal('approval.requested'),
    approvalId: id,
    turnId: id.optional(),
    itemId: id.optional(),
    kind: ToolKindSchema,
    title: z.string(),
    cwd: z.string().optional(),
    input: z.json().optional(),
    linkedFiles: z
      .array(z.string())
      .max(256)
      .optional()
      .describe('Where symbolic links lead the files that its input names, absolute; said by the machine that it runs on'),
    options: z.array(ApprovalOptionSchema).describe('Empty when nobody is asked: the mode of the session answers'),
    form: z.array(FormFieldSchema).optional().describe('What a person is asked for in words; a yes brings the answers'),
    isEditable: z.boolean().optional().describe('A yes may bring another input, which runs instead'),
    expiresInMs: z.int().min(0).optional().describe("After how long nobody's answer becomes a no"),
  }),
  z.object({
    type: z.literal('approval.resolved'),
    approvalId: id,
    outcome: z.enum(['allowed', 'denied', 'cancelled']),
    by: PrincipalNameSchema,
    message: text.optional(),
    optionId: id.optional(),
    answers: FormAnswersSchema.optional(),
    updatedInput: z.json().optional(),
  }),
  z.object({
    type: z.literal('input.accepted'),
    messageId: z.int().min(1),
    evidence: z.enum(['echo', 'accepted', 'turn']),
    state: z.enum(['delivered', 'seen', 'answered']),
  }),
  z.object({ type: z.literal('usage.updated'), turnId: id.optional(), usage: UsageSchema }),
  z.object({
    type: z.literal('quota.warning'),
    message: z.string(),
    usedPercent: z.number().min(0).max(100).optional(),
    resetsAt: z.int().min(0).optional(),
  }),
  z.object({ type: z.literal('context.warning'), usedTokens: z.int().min(0), contextWindow: z.int().min(0) }),
  z.object({ type: z.literal('context.compacted') }),
  z.object({ type: z.literal('hook.completed'), ...hookRunFields }).describe('A hook of its machine ran'),
  z.object({ type: z.literal('output.line'), stream: z.enum(['stdout', 'stderr']), text }),
  z.object({ type: z.literal('agent.error'), code: z.string(), message: z.string(), willRetry: z.boolean() }),
  z.object({ type: z.literal('vendor.event'), vendor: z.string(), name: z.string(), data: z.json() }),
]);
export type AgentEvent = z.infer<typeof AgentEventSchema>;
export type AgentEventType = AgentEvent['type'];

type PastVerb = 'started' | 'ended' | 'completed' | 'failed' | 'updated' | 'changed' | 'requested' | 'resolved' | 'accepted' | 'compacted';
/** Names that are not `noun.pastVerb`: states, deltas, warnings and carriers. */
type Exempt =
  | 'session.status'
  | 'user.message'
  | 'text.delta'
  | 'reasoning.delta'
  | 'quota.warning'
  | 'context.warning'
  | 'output.line'
  | 'agent.error'
  | 'vendor.event';
type NotInGrammar = Exclude<AgentEventType, `${string}.${PastVerb}` | Exempt>;
export const agentEventNamesFitTheGrammar: [NotInGrammar] extends [never] ? true : NotInGrammar = true;

/** One entry of a session's activity log. `seq` counts within the session from 1; `id` orders all entries of an agent and is the cursor of its activity list. */
export const ActivityEntrySchema = z.object({
  id: z.int().min(1),
  agentId: z.string(),
  sessionId: z.string(),
  seq: z.int().min(1),
  at: z.int().min(0),
  late: z.boolean().describe('Arrived after the session had ended'),
  event: AgentEventSchema,
});
export type ActivityEntry = z.infer<typeof ActivityEntrySchema>;
