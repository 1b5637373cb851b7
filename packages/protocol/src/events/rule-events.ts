import { z } from 'zod';
import { ApprovalIdSchema } from '../approval.ts';
import { ApprovalRuleSchema } from '../approval-rule.ts';
import { AgentIdSchema, told } from '../primitives.ts';

const rule = ApprovalRuleSchema;

export const ruleEvents = [
  z.object({ type: z.literal('rule.created'), ...told, rule }),
  z.object({ type: z.literal('rule.used'), ...told, rule, agentId: AgentIdSchema, approvalId: ApprovalIdSchema }),
  z.object({ type: z.literal('rule.ended'), ...told, rule }),
] as const;
