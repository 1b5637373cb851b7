import { z } from 'zod';

/** How much one question may ask, and how long the parts of an answer may be. */
export const approvalLimits = {
  id: 256,
  options: 20,
  fields: 20,
  choices: 100,
  label: 500,
  text: 4000,
  answer: 8000,
  answers: 100,
  form: 65_536,
} as const;

const id = z.string().min(1).max(approvalLimits.id);

/** One of the answers that the agent's own vendor knows. */
export const ApprovalOptionSchema = z.object({
  id,
  label: z.string(),
  outcome: z
    .enum(['allow', 'allow_session', 'allow_always', 'deny', 'cancel'])
    .describe('`allow` once, `allow_session` until the session ends, `allow_always` for ever; `cancel` denies and stops the turn'),
});
export type ApprovalOption = z.infer<typeof ApprovalOptionSchema>;

/** One thing that a person is asked for in words: to choose, or to write. */
export const FormFieldSchema = z.object({
  id,
  text: z.string().describe('The question'),
  title: z.string().optional().describe('A word or two for it'),
  choices: z.array(z.object({ value: z.string(), label: z.string(), description: z.string().optional() })),
  allowsText: z.boolean().describe('Words of their own are an answer, beside the choices'),
  allowsSeveral: z.boolean().optional().describe('More than one answer'),
  isOptional: z.boolean().optional(),
  isSecret: z.boolean().optional().describe('The answer is told to the agent and kept nowhere'),
  format: z.enum(['number', 'integer']).optional().describe('What an answer in words of their own must be'),
});
export type FormField = z.infer<typeof FormFieldSchema>;

/** What was answered, by the id of the field. */
export const FormAnswersSchema = z.record(id, z.array(z.string().max(approvalLimits.answer)).max(approvalLimits.answers));
export type FormAnswers = z.infer<typeof FormAnswersSchema>;
