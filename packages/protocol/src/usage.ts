import { z } from 'zod';
import { AgentIdSchema, PageLimitSchema } from './primitives.ts';

export const DaySchema = z
  .string()
  .regex(/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/u, 'A day is YYYY-MM-DD, in UTC')
  .meta({ examples: ['2026-01-31'] });

/** What an agent's turns of one day cost, with one model. */
export const UsageDaySchema = z.object({
  day: z.string().describe('YYYY-MM-DD, in UTC'),
  agentId: z.string(),
  provider: z.string(),
  model: z.string().nullable(),
  turns: z.int().min(0),
  inputTokens: z.int().min(0),
  outputTokens: z.int().min(0),
  cachedInputTokens: z.int().min(0),
  reasoningTokens: z.int().min(0),
  costUsd: z.number().min(0).describe('As far as vendors say what a turn cost'),
});
export type UsageDay = z.infer<typeof UsageDaySchema>;

export const UsageQuerySchema = z.strictObject({
  agent: AgentIdSchema.optional(),
  since: DaySchema.optional().describe('This day and later ones'),
  until: DaySchema.optional().describe('This day and earlier ones'),
  after: z
    .string()
    .min(1)
    .max(600)
    .optional()
    .describe('`nextCursor` of the page before')
    .meta({ examples: ['WyIyMDI2LTAxLTMxIiwiV29ya2VyIiwiY29kZXgiLCIiXQ'] }),
  limit: PageLimitSchema,
});
