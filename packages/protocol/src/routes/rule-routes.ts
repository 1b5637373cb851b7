import { z } from 'zod';
import { ApprovalRuleSchema, CreateApprovalRuleSchema } from '../approval-rule.ts';
import { AgentIdSchema, listOf, MessageIdSchema, pageBefore } from '../primitives.ts';
import { route } from '../route.ts';
import { APPROVAL_ANSWER_MS } from '../session.ts';

/** Routes of the table. */
export const ruleRoutes = {
  'rules/list': route({
    method: 'GET',
    path: '/approvals/rules',
    scope: 'approvals:read',
    anonymous: false,
    summary: 'The standing rules that answer what agents ask, newest first',
    input: z.strictObject({
      agent: AgentIdSchema.optional().describe('Those for this agent; not those for a tag that it has'),
      active: z.boolean().optional().describe('Only those that hold, or only those that no longer do'),
      ...pageBefore,
    }),
    output: listOf(ApprovalRuleSchema),
  }),
  'rules/create': route({
    method: 'POST',
    path: '/approvals/rules',
    scope: 'approvals:write',
    anonymous: false,
    summary:
      'Allow, from now on, what an agent asks about again and again; for people, their programs and their channels, never for agents',
    input: CreateApprovalRuleSchema,
    output: ApprovalRuleSchema,
    status: 201,
    formerly: { agent: 'agentId' },
    wait: { field: 'approvalId', ms: APPROVAL_ANSWER_MS },
  }),
  'rules/revoke': route({
    method: 'DELETE',
    path: '/approvals/rules/:id',
    scope: 'approvals:write',
    anonymous: false,
    summary: 'End a rule: what it allowed is asked about again',
    input: z.strictObject({ id: MessageIdSchema }),
    output: ApprovalRuleSchema,
  }),
} as const;
