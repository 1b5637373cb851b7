import { z } from 'zod';
import { SessionGuardSchema } from '../agent.ts';
import { ApprovalAnswerSchema, ApprovalIdSchema, ApprovalSchema, AskApprovalSchema, ListedApprovalStatusSchema } from '../approval.ts';
import { AgentIdSchema, counted, listOf, pageBefore } from '../primitives.ts';
import { route } from '../route.ts';
import { APPROVAL_ANSWER_MS } from '../session.ts';

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
  'approvals/count': route({
    method: 'GET',
    path: '/approvals/count',
    scope: 'approvals:read',
    alsoScopes: ['sessions:read'],
    anonymous: false,
    summary: 'How many approvals there are of each status, of those that the caller may list',
    input: z.strictObject({ agent: AgentIdSchema.optional(), status: ListedApprovalStatusSchema.optional() }),
    output: counted,
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
    wait: { ms: APPROVAL_ANSWER_MS },
  }),
  'approvals/ask': route({
    method: 'POST',
    path: '/agents/:id/approvals',
    scope: 'agents:write',
    anonymous: false,
    summary:
      'Ask a person, as an agent that no machine runs; waits up to `waitMs` for the answer. The same id is the same question: asked again, it tells how it stands',
    input: z.strictObject({
      id: AgentIdSchema,
      ...SessionGuardSchema.shape,
      ...AskApprovalSchema.shape,
      waitMs: z.int().min(0).max(50_000).optional(),
    }),
    output: ApprovalSchema,
    wait: { field: 'waitMs' },
  }),
  'approvals/withdraw': route({
    method: 'POST',
    path: '/agents/:id/approvals/:approvalId/withdraw',
    scope: 'agents:write',
    anonymous: false,
    summary: 'Nobody is asked any more: it was answered where the agent runs, or is over',
    input: z.strictObject({
      id: AgentIdSchema,
      approvalId: ApprovalIdSchema,
      ...SessionGuardSchema.shape,
      message: z.string().min(1).max(500).optional().describe('What became of it, for those who read it later'),
    }),
    output: ApprovalSchema,
  }),
} as const;
