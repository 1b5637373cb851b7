import { z } from 'zod';
import { SenderSchema } from './message.ts';
import { AddressSchema, AgentIdSchema, MessageIdSchema, TimestampSchema } from './primitives.ts';

/** What the relay itself knows of a message, for an agent that does not take the words in front of it on trust. */
export const VerificationSchema = z.object({
  messageId: MessageIdSchema,
  from: AgentIdSchema,
  to: AddressSchema,
  sender: SenderSchema,
  isProven: z.boolean().describe('Whether a token proved that `from` wrote it; false for what a caller only claimed'),
  isPerson: z
    .boolean()
    .describe('Whether it is the word of a person, proven: of the owner, or of another that has a name here (`person:<id>`)'),
  isForYou: z.boolean().nullable().describe('Whether it is in the mail of the agent that asks; null when no agent asks'),
  isDeleted: z.boolean(),
  bodySha256: z.string().describe('Hex digest of the body as stored, in UTF-8'),
  createdAt: TimestampSchema,
  hops: z.int().min(0),
  thread: z.object({
    id: MessageIdSchema,
    startedBy: AgentIdSchema.nullable().describe('Null when its first message has been pruned'),
    sender: SenderSchema.nullable(),
  }),
  verdict: z.string().describe('All of it in one or two sentences'),
});
export type Verification = z.infer<typeof VerificationSchema>;
