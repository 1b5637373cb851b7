import { z } from 'zod';
import { ApprovalAnswerSchema, ApprovalIdSchema, ApprovalSchema, ListedApprovalStatusSchema } from '../approval.ts';
import { AgentIdSchema, listOf, pageBefore } from '../primitives.ts';
import { route } from '../route.ts';

const PersonSchema = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N}._~-]{0,63}$/u, 'A person is letters, digits and . _ ~ -, at most 64')
  .describe("Who answers, as a channel knows its people: a channel's own token may say it, and `by` is `person:<it>@<the channel>` then");

/** Routes of the table. */
export const approvalRoutes = {
  'approvals/list': route({
    method: 'GET',
    path: '/approvals',
    scope: 'approvals:read',
    alsoScopes: ['sessions:read'],
    anonymous: false,
    summary: 'What agents ask a person, newest first; an agent sees what it asked itself, and on request what those that it started ask',
    input: z.strictObject({
      agent: AgentIdSchema.optional(),
      status: ListedApprovalStatusSchema.optional(),
      ...pageBefore,
    }),
    output: listOf(ApprovalSchema),
  }),
  'approvals/resolve': route({
    method: 'POST',
    path: '/agents/:id/approvals/:approvalId',
    scope: 'approvals:write',
    anonymous: false,
    summary:
      'Answer what an agent asked: allow or deny it, choose one of its options, fill in its form; for people, their programs and their channels, never for agents',
    input: z.strictObject({
      id: AgentIdSchema,
      approvalId: ApprovalIdSchema,
      ...ApprovalAnswerSchema.shape,
      person: PersonSchema.optional(),
    }),
    output: ApprovalSchema,
  }),
} as const;
