import { z } from 'zod';
import { AuditEntrySchema, AuditVerdictSchema } from '../audit.ts';
import { listOf, pageBefore } from '../primitives.ts';
import { route } from '../route.ts';

/** How long the whole chain may take to be looked through. */
export const AUDIT_VERIFY_MS = 60_000;

/** Routes of the table. */
export const auditRoutes = {
  'audit/list': route({
    method: 'GET',
    path: '/audit',
    scope: '*',
    anonymous: false,
    summary: 'Who did what, newest first: spawns, steers, answers, tokens, rules, machines, removals; for the owner',
    input: z.strictObject({
      action: z.string().min(1).max(64).optional().describe('Only this operation, such as sessions/start'),
      by: z.string().min(1).max(200).optional(),
      ...pageBefore,
    }),
    output: listOf(AuditEntrySchema),
  }),
  'audit/verify': route({
    method: 'GET',
    path: '/audit/verify',
    scope: '*',
    anonymous: false,
    summary: 'Whether nothing in the audit was changed or taken out; names the first entry that was',
    input: z.strictObject({}),
    output: AuditVerdictSchema,
    wait: { ms: AUDIT_VERIFY_MS },
  }),
} as const;
