import { z } from 'zod';
import { ToolKindSchema } from './agent-event.ts';
import { AgentIdSchema, GroupNameSchema, LabelSchema, lineOf, MessageIdSchema, TimestampSchema } from './primitives.ts';
import { PrincipalNameSchema } from './principal-name.ts';

const CommandSchema = z.array(z.string().min(1).max(500)).min(1).max(20);
const MaxUsesSchema = z.int().min(1).max(100_000);

/**
 * A person's standing yes: to what an agent, or every agent with a tag, asks about again and again. It allows once each time, and only what it
 * understands whole: for `execute` one plain command whose words begin with `command`, for `edit` files inside `folder`.
 */
export const ApprovalRuleSchema = z.object({
  id: MessageIdSchema,
  name: LabelSchema,
  agentId: AgentIdSchema.nullable(),
  tag: GroupNameSchema.nullable(),
  kind: ToolKindSchema,
  command: CommandSchema.nullable().describe('The words that a command begins with; null for `edit`'),
  folder: z.string().describe('Absolute, as the machine of the agent calls it; what lies below it counts'),
  expiresAt: TimestampSchema.nullable(),
  maxUses: z.int().min(1).nullable(),
  uses: z.int().min(0).describe('How often it answered, or tried to'),
  createdAt: TimestampSchema,
  createdBy: PrincipalNameSchema,
  endedAt: TimestampSchema.nullable(),
  ended: z.enum(['revoked', 'used_up', 'expired']).nullable().describe('Why it holds no longer'),
  endedBy: PrincipalNameSchema.nullable(),
});
export type ApprovalRule = z.infer<typeof ApprovalRuleSchema>;

/** A new rule; what `approvalId` names, a question of `agentId`, says whatever is left out, and is answered by it. */
export const CreateApprovalRuleSchema = z.strictObject({
  agentId: AgentIdSchema.optional().describe('For this agent; or leave it out and say a `tag`'),
  tag: GroupNameSchema.optional().describe('For every agent with this tag'),
  approvalId: z.string().min(1).max(256).optional().describe('A question of `agentId` that it is made from'),
  name: LabelSchema.optional().describe('How its uses are told; left out, what it allows'),
  kind: z.enum(['execute', 'edit']).optional(),
  command: CommandSchema.optional(),
  folder: lineOf(4096).optional(),
  expiresAt: TimestampSchema.optional().describe('Left out, it holds until it is revoked'),
  maxUses: MaxUsesSchema.optional(),
});
export type CreateApprovalRule = z.infer<typeof CreateApprovalRuleSchema>;
